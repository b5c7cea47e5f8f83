"""`dispute_drill`: one mock dispute of each path, run to its end; exit 1 where one went another way."""

import sys
from io import StringIO
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone
from rich.console import Console
from rich.table import Table

from compliance.disputes import drills
from compliance.disputes.drill import apart

WIDTH = 110


class Command(BaseCommand):
    """Works in a database of its own beside the live one; what came of it is kept and shown in the back office."""

    help = "Rehearse disputes: one of each path in a database of its own, with the time that each step took."

    def handle(self, *args: Any, **options: Any) -> None:
        drill = drills.start_drill(actor=None, at=timezone.now())
        drill = apart.run_drill(drill_id=drill.pk, now=timezone.now)
        if drill.error:
            self.stderr.write(drill.error)
        for path in drill.report.get("paths", []):
            self.stdout.write(_table(path))
        verdict = "passed" if drill.is_passed else "failed"
        self.stdout.write(f"drill {drill.pk} {verdict} in {drill.report.get('seconds', '?')} s")
        if not drill.is_passed:
            sys.exit(1)


def _table(path: dict[str, Any]) -> str:
    table = Table("step", "by", "where it went", "seconds", title=f"{path['name']}: {path['went_to']}")
    for step in path["steps"]:
        table.add_row(step["name"], step["by"], step["went_to"], f"{step['seconds']:.3f}")
    table.add_row("altogether", "", "", f"{path['seconds']:.3f}")
    page = StringIO()
    Console(file=page, markup=False, width=WIDTH).print(table)
    return page.getvalue()
