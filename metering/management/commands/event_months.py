"""`manage.py event_months`: the tables of raw events by month, and what lies outside them."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from metering import months
from metering.store import partitions


class Command(BaseCommand):
    help = "Show the tables of raw events by month, or make those that are missing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("status", help="show the months that have a table, and events outside them; exit 1 on alarm")
        verbs.add_parser("prepare", help="make the missing tables, and move events that wait outside them")

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, options["verb"])()

    def status(self) -> None:
        there = partitions.find_months()
        self.stdout.write(f"months: {', '.join(f'{month:%Y-%m}' for month in there)}")
        state = months.find_state(at=timezone.now())
        if state.alarms:
            raise CommandError(" ".join(state.alarms))

    def prepare(self) -> None:
        report = months.keep_months(at=timezone.now())
        self.stdout.write(f"made: {', '.join(f'{month:%Y-%m}' for month in report.made) or 'none'}")
        self.stdout.write(f"events moved: {report.moved:,}")
        if report.left:
            names = ", ".join(f"{month:%Y-%m}" for month in report.left)
            raise CommandError(
                f"not made now: {names}. Somebody reads events for long, or the role may not make tables."
            )
