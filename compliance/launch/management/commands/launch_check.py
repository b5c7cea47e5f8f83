"""`launch_check [--json] [--proofs]`: look at every box of the launch checklist now; exit 1 while any is open."""

import sys
from io import StringIO
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from compliance.launch import check, standing
from compliance.launch.models import LaunchCheck
from compliance.launch.standing import BoxState

WIDTH = 140
STYLES = {"closed": "green", "open": "bold red", "too_old": "bold yellow", "not_checked": "bold yellow"}


class Command(BaseCommand):
    """Goes on with a check that stands open, so it is safe to stop and to repeat. Here nothing has a limit of time."""

    help = "Run the launch checklist: each box with its proof. Exit code 1 while any box is open."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Boxes and proofs as JSON.")
        parser.add_argument("--proofs", action="store_true", help="Show what was looked at under each box.")

    def handle(self, *args: Any, **options: Any) -> None:
        run = self._run()
        states = standing.of_check(run, at=timezone.now())
        if options["json"]:
            self.stdout.write(orjson.dumps([_as_json(state) for state in states]).decode())
        else:
            self._print(run, states, with_proofs=options["proofs"])
        if standing.still_open(states):
            sys.exit(1)

    def _run(self) -> LaunchCheck:
        at = timezone.now()
        begun = LaunchCheck.objects.filter(finished_at=None, only="").first() or check.begin_run(actor=None, at=at)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task("boxes", total=None)

            def told(what: str, done: int, total: int) -> None:
                bar.update(task, description=what.capitalize(), completed=done, total=total)

            return check.go_on(run_id=begun.pk, at=at, progress=told)

    def _print(self, run: LaunchCheck, states: list[BoxState], *, with_proofs: bool) -> None:
        page = StringIO()
        console = Console(file=page, width=WIDTH, markup=False, highlight=False, force_terminal=self.stdout.isatty())
        console.print(f"{run} of {run.asked_at:%Y-%m-%d %H:%M} UTC, by {run.checklist}")
        table = Table("box", "", "found", "proof of (UTC)", "owner")
        for state in states:
            proved = "" if state.result is None else f"{state.result.proved_at:%Y-%m-%d %H:%M}"
            said = state.said if state.is_closed else f"{state.said} → {state.remedy}"
            mark = Text(state.state.replace("_", " "), style=STYLES[state.state])
            table.add_row(state.title, mark, said, proved, state.owner)
        console.print(table)
        if with_proofs:
            for state in states:
                _print_proof(console, state)
        open_boxes = len(standing.still_open(states))
        console.print(f"{open_boxes} of {len(states)} boxes are open." if open_boxes else "Every box is closed.")
        self.stdout.write(page.getvalue())


def _print_proof(console: Console, state: BoxState) -> None:
    if state.result is None:
        return
    proof = state.result.proof
    console.print(Text(f"{state.title}: SHA-256 {state.result.proof_hash}", style="bold"))
    for name, value in proof["facts"]:
        console.print(f"  {name}: {value}")
    if proof["table"]["rows"]:
        table = Table(*proof["table"]["head"])
        for row in proof["table"]["rows"]:
            table.add_row(*row)
        console.print(table)


def _as_json(state: BoxState) -> dict[str, Any]:
    found = state.result
    return {
        "box": str(state.box),
        "program": state.program,
        "state": str(state.state),
        "said": state.said,
        "remedy": state.remedy,
        "owner": state.owner,
        "proved_at": None if found is None else found.proved_at.isoformat(),
        "ages_at": None if state.ages_at is None else state.ages_at.isoformat(),
        "proof": None if found is None else found.proof,
        "proof_hash": None if found is None else found.proof_hash,
    }
