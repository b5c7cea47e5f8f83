"""`manage.py event_months`: the tables of raw events by month, and what lies outside them."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, date, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from core.errors import DomainError
from metering import archive as archiver
from metering import months
from metering.store import archive_files, elsewhere, partitions


def read_month(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC).date()
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a month such as 2025-01") from error


class Command(BaseCommand):
    help = "Show the tables of raw events by month, or make those that are missing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("status", help="show the months that have a table, and events outside them; exit 1 on alarm")
        verbs.add_parser("prepare", help="make the missing tables, and move events that wait outside them")
        detach = verbs.add_parser("detach", help="put a month away into a Parquet file; it is counted from there")
        detach.add_argument("month", type=read_month, help="such as 2025-01")
        attach = verbs.add_parser("attach", help="bring a month back from its files")
        attach.add_argument("month", type=read_month)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, options["verb"])(options)
        except DomainError as error:
            raise CommandError(error.message) from error

    def detach(self, options: dict[str, Any]) -> None:
        archive = archiver.detach_month(month=options["month"], at=timezone.now())
        self.stdout.write(f"{archive.event_count:,} events in {archive_files.folder() / archive.file_name}")
        self.stdout.write(
            f"SHA-256 {archive.file_sha256}; keep a copy of the file: it is now the only place of these events"
        )

    def attach(self, options: dict[str, Any]) -> None:
        for archive in archiver.attach_month(month=options["month"], at=timezone.now()):
            self.stdout.write(f"{archive.event_count:,} events are back from {archive.file_name}")

    def status(self, _options: dict[str, Any]) -> None:
        there = partitions.find_months()
        self.stdout.write(f"months: {', '.join(f'{month:%Y-%m}' for month in there)}")
        for archive in elsewhere.find_archives(*elsewhere.ALWAYS):
            self.stdout.write(f"{archive.month:%Y-%m}: {archive.event_count:,} events in {archive.file_name}")
        state = months.find_state(at=timezone.now())
        if state.alarms:
            raise CommandError(" ".join(state.alarms))

    def prepare(self, _options: dict[str, Any]) -> None:
        report = months.keep_months(at=timezone.now())
        self.stdout.write(f"made: {', '.join(f'{month:%Y-%m}' for month in report.made) or 'none'}")
        self.stdout.write(f"events moved: {report.moved:,}")
        if report.left:
            names = ", ".join(f"{month:%Y-%m}" for month in report.left)
            raise CommandError(
                f"not made now: {names}. Somebody reads events for long, or the role may not make tables."
            )
