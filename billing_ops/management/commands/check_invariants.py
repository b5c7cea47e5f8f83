"""`check_invariants [--json]`: what must always hold, searched for whatever contradicts it."""

import sys
from io import StringIO
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console
from rich.table import Table

from core import invariants
from core.invariants import Finding, all_invariants, invariants_of

__all__ = ["Command", "all_invariants", "invariants_of"]


class Command(BaseCommand):
    """Exit code 1 if anything offends."""

    help = "Search the database for whatever contradicts an invariant."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="The same as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = invariants.check_all(all_invariants())
        if options["json"]:
            self.stdout.write(orjson.dumps([finding.as_json() for finding in findings]).decode())
        else:
            self._print(findings)
        if any(finding.offenders for finding in findings):
            sys.exit(1)

    def _print(self, findings: list[Finding]) -> None:
        table = Table("", "invariant", "offenders")
        for finding in findings:
            shown = "\n".join(finding.offenders[: invariants.OFFENDERS_SHOWN])
            more = len(finding.offenders) - invariants.OFFENDERS_SHOWN
            rest = f"\n… and {more} more" if more > 0 else ""
            table.add_row(str(finding.invariant.number), finding.invariant.name, (shown + rest) or "none")
        page = StringIO()
        Console(file=page, markup=False, width=140).print(table)
        self.stdout.write(page.getvalue())
