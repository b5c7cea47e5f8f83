"""`replay SET`: run a replay set; exit 1 with a diff report where it differs."""

import sys
from datetime import datetime
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Model
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from core.errors import DomainError
from invoicing.replay import candidate, queries, run, sets
from invoicing.replay.models import ReplayRun, ReplaySet
from invoicing.replay.rules import includes
from invoicing.replay.rules.content import canonical_text, read_instant

BAD_INPUT = 2
WIDTH = 140


class Command(BaseCommand):
    """Exit 0 where everything is as expected, 1 where it differs or could not be run, 2 for what makes no sense."""

    help = "Run a replay set, list the sets, make one from closed periods or from a file, or write one out."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("set", nargs="?", metavar="SET", help="Its name; left out: all sets are listed.")
        parser.add_argument(
            "--shuffle",
            type=int,
            metavar="N",
            help="In how many shuffled orders of arrival as well: 2 to 100, or 0 for none; left out: as many as the set"
            " says. Where a set is made, how many it says from then on (20 for a new one).",
        )
        parser.add_argument(
            "--with", dest="candidate", metavar="KIND:ID", help=f"With a version: {', '.join(candidate.PLACES)}."
        )
        parser.add_argument("--make-from-history", action="store_true", help="Make it of the customers named.")
        parser.add_argument("--customer", action="append", default=[], metavar="CODE")
        parser.add_argument("--until", metavar="INSTANT", help="Periods that ended by then; left out: all.")
        parser.add_argument("--upload", type=Path, metavar="FILE", help="Make it of a JSON file.")
        parser.add_argument("--description", default="")
        parser.add_argument("--export", type=Path, metavar="FILE", help="Write its content into a file.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            is_good = self._do(options)
        except DomainError as error:
            problems = "".join(f"\n{one['pointer']}: {one['detail']}" for one in error.problems()[1:])
            raise CommandError(f"{error.message}{problems}", returncode=BAD_INPUT) from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages), returncode=BAD_INPUT) from error
        if not is_good:
            sys.exit(1)

    def _do(self, options: dict[str, Any]) -> bool:
        if options["set"] is None:
            self._list()
            return True
        if options["make_from_history"] or options["upload"]:
            self._make(options)
            return True
        if options["export"]:
            version = queries.latest_version(sets.find_set(options["set"]))
            options["export"].write_bytes(canonical_text(sets.content_of(version)) + b"\n")
            self.stdout.write(f"{version} is in {options['export']}")
            return True
        return self._run(options)

    def _list(self) -> None:
        table = Table("set", "program", "required", "events", "includes", "last run", "why not")
        required = set(queries.required_sets())
        for state in queries.states_of(ReplaySet.objects.all()):
            found = state.version.includes
            shown = ", ".join(words for name, words in includes.SHOWN.items() if found[name])
            when = "" if state.run_at is None else f" {state.run_at:%Y-%m-%d %H:%M}"
            table.add_row(
                str(state.version),
                state.set.program,
                "yes" if state.set in required else "no",
                str(state.version.event_count),
                shown,
                f"{state.verdict}{when}",
                state.why,
            )
        self._print(table)

    def _make(self, options: dict[str, Any]) -> None:
        at = timezone.now()
        kept = {"name": options["set"], "description": options["description"], "orders": options["shuffle"]}
        kept |= {"actor": None, "at": at}
        if options["upload"]:
            try:
                text = options["upload"].read_bytes()
            except OSError as error:
                raise CommandError(f"{options['upload']}: {error.strerror}", returncode=BAD_INPUT) from error
            version = sets.upload(text=text, **kept)
        else:
            until = None if options["until"] is None else _instant(options["until"])
            version = sets.make_from_history(customer_codes=options["customer"], until=until, **kept)
        self.stdout.write(f"{version}: {version.event_count} events, {version.document_count} documents expected")
        for words, said in version.shows:
            self.stdout.write(f"  {words}: {said}")
        self.stdout.write(f"  runs take {version.orders} shuffled orders of arrival")
        for note in version.notes:
            self.stdout.write(f"  {note}")

    def _run(self, options: dict[str, Any]) -> bool:
        other = _version(options["candidate"])
        asked = run.write_down(
            name=options["set"], orders=options["shuffle"], with_version=other, actor=None, at=timezone.now()
        )
        columns = (TextColumn("Replaying"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            bar.add_task("replay", total=None)
            ended = run.carry_out(run_id=asked.pk, clock=timezone.now)
        self._report(ended)
        return ended.verdict == ReplayRun.Verdict.PASSED

    def _report(self, ended: ReplayRun) -> None:
        seconds = (ended.duration_ms or 0) / 1000
        self.stdout.write(f"{ended} in {seconds:.1f} s: {ended.get_verdict_display().lower()}")
        if ended.problem:
            self.stdout.write(ended.problem)
            return
        report = ended.report
        counts = Table("", "expected", "found")
        for row in report["counts"]:
            style = "bold red" if row["expected"] not in ("", row["found"]) else ""
            counts.add_row(row["what"], row["expected"], row["found"], style=style)
        self._print(counts)
        self._differences("Differs from what is expected", report["differences"])
        for seed, differences in report["orders"]["unequal"].items():
            self._differences(f"Arrival order {seed} gives another result", differences)
        tried = report["orders"]["tried"]
        if tried:
            equal = tried - len(report["orders"]["unequal"])
            self.stdout.write(f"{equal} of {tried} shuffled orders of arrival give the same, byte for byte")
        if report["candidate"]:
            self._effect(report["candidate"])

    def _differences(self, title: str, differences: list[dict[str, Any]]) -> None:
        if not differences:
            return
        table = Table("step", "document", "line", "what", "expected", "found", "because", title=title)
        for one in differences:
            cells = [one[name] for name in ("step", "document", "line", "what", "expected", "found")]
            table.add_row(*map(Text, cells), Text("\n".join(one["because"])))
        self._print(table)

    def _effect(self, effect: dict[str, Any]) -> None:
        table = Table("customer", "currency", "as agreed", "with it", "change", title="What it would change")
        for one in effect["customers"]:
            table.add_row(one["customer"], one["currency"], one["before"], one["after"], one["change"])
        self._print(table)
        for words in effect["failed"]:
            self.stdout.write(f"  {words}")

    def _print(self, table: Table) -> None:
        page = StringIO()
        Console(file=page, width=WIDTH, markup=False, highlight=False).print(table)
        self.stdout.write(page.getvalue())


def _version(named: str | None) -> Model | None:
    if named is None:
        return None
    kind, _, number = named.partition(":")
    if not number.isdecimal():
        raise CommandError("Name the version as KIND:ID, such as price_version:42.", returncode=BAD_INPUT)
    return candidate.find_version(kind=kind, number=int(number))


def _instant(text: str) -> datetime:
    try:
        return read_instant(text)
    except ValueError as error:
        raise CommandError(
            f"{text!r} is no instant with its offset from UTC, such as 2026-11-01T00:00:00Z", returncode=BAD_INPUT
        ) from error
