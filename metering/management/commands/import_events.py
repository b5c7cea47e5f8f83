"""`import_events FILE`: bulk capture from a file, with the same checks as over HTTP."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from core.errors import DomainError, InvalidInputError
from metering import importing
from metering.import_forms import ImportRequest
from metering.importing import ImportReport
from metering.rules import import_rows, reasons

BAD_INPUT = 2
IN_QUARANTINE = "Each of them waits in quarantine (back office, Quarantined events), with what is wrong in it."
FORMS = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson", ".parquet": "parquet"}


class Command(BaseCommand):
    """Safe to repeat and to kill: it goes on where it was left, and counts nothing twice."""

    help = "Capture the events of a CSV, NDJSON or Parquet file. Times without an offset are UTC."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--format", choices=sorted(set(FORMS.values())), help="Left out: by the file's ending.")
        parser.add_argument("--customer", metavar="CODE", help="The customer of rows that name none.")
        parser.add_argument("--type", metavar="TYPE", help="The event type of rows that name none.")
        parser.add_argument(
            "--source",
            metavar="NAME",
            default="import",
            help="Source and id are an event's identity for ever: give two files of one name different sources.",
        )
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="NAME=COLUMN",
            help="time=COLUMN, id=COLUMN or data.PROPERTY=COLUMN; repeat it. Without id, file name and row make one.",
        )

        parser.add_argument(
            "--backfill",
            metavar="NAME",
            help="Put the events into this open backfill: nothing counts them before finance approves its report.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        columns = (TextColumn("Importing"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        try:
            request = _read_request(options)
            # Shown when something was done: a thread that shows it meanwhile would be there when processes are forked.
            with Progress(*columns, console=Console(stderr=True), auto_refresh=False) as bar:
                task = bar.add_task("import", total=None)

                def progress(done: int, total: int) -> None:
                    bar.update(task, completed=done, total=total, refresh=True)

                if options["backfill"]:
                    staged = importing.stage_file(request=request, name=options["backfill"], progress=progress)
                    self.stdout.write(f"staged {staged.staged} in all in backfill {staged.name}")
                    return
                report = importing.import_file(request=request, at=timezone.now(), progress=progress)
        except InvalidInputError as error:
            raise CommandError(error.message, returncode=BAD_INPUT) from error
        except DomainError as error:
            raise CommandError(error.message) from error
        self._print(report)

    def _print(self, report: ImportReport) -> None:
        run = report.run
        self.stdout.write(f"accepted {run.accepted}, duplicate {run.duplicates}, quarantined {run.quarantined}")
        for code, count in report.reasons.most_common():
            self.stdout.write(f"  {code}: {count}. {reasons.sentence_of(code)}")
        if report.reasons:
            self.stdout.write(IN_QUARANTINE)


def _read_request(options: dict[str, Any]) -> ImportRequest:
    form = options["format"] or FORMS.get(options["file"].suffix.lower())
    if form is None and options["file"].suffix.lower() == ".gz":
        raise CommandError(
            f"{options['file']} is compressed: unpack it first, as with gunzip -k.", returncode=BAD_INPUT
        )
    if form is None:
        raise CommandError("Say what the file is: --format csv, ndjson or parquet.", returncode=BAD_INPUT)
    try:
        columns = import_rows.read_column_map(options["map"])
    except ValueError as error:
        raise CommandError(f"--map: {error}.", returncode=BAD_INPUT) from error
    return ImportRequest(
        path=options["file"],
        form=form,
        customer_code=options["customer"],
        event_type=options["type"],
        source=options["source"],
        columns=columns,
    )
