"""`manage.py event_store`: which store holds the raw events, and how they move to another."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.progress import Progress

from core.errors import DomainError
from metering import shipping, switching, watermark
from metering.models import Store, StoreCopy
from metering.store import chosen


class Command(BaseCommand):
    help = "Show where raw events live, send what waits, or move all of them to another store."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("status", help="show the store, and how many events wait to be shipped")
        verbs.add_parser("ship", help="send what waits now")
        switch = verbs.add_parser("switch", help="copy all events, compare them, and switch; run again, it goes on")
        switch.add_argument("store", choices=Store.values)
        switch.add_argument(
            "--clear", action="store_true", help="forget what the other store holds of earlier times, and copy afresh"
        )
        verbs.add_parser("cancel", help="forget a copy that was begun")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, options["verb"])(options)
        except DomainError as error:
            raise CommandError(error.message) from error

    def status(self, _options: dict[str, Any]) -> None:
        name = chosen.find_name()
        self.stdout.write(f"raw events live in {Store(name).label}")
        if name != Store.POSTGRES:
            last, shipped = watermark.find_last_seq(), chosen.find_shipped_seq()
            self.stdout.write(f"shipped up to {shipped:,} of {last:,}")
        if copy := StoreCopy.objects.first():
            self.stdout.write(f"a copy into {Store(copy.store).label} has come to {copy.copied_seq:,}")

    def ship(self, _options: dict[str, Any]) -> None:
        settled, total = watermark.settle().seq, 0
        while count := shipping.ship_pending(settled_seq=settled, at=timezone.now()):
            total += count
        self.stdout.write(f"{total:,} events shipped")

    def switch(self, options: dict[str, Any]) -> None:
        with Progress(console=Console(file=sys.stderr), transient=True) as bar:
            task = bar.add_task("copying events", total=None)
            switch = switching.switch_store(
                name=options["store"],
                at=timezone.now(),
                clears_target=options["clear"],
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
        self.stdout.write(f"{switch.event_count:,} events compared, digest {switch.digest}")
        self.stdout.write(f"raw events live in {Store(switch.store).label} now")

    def cancel(self, _options: dict[str, Any]) -> None:
        self.stdout.write("the copy is forgotten" if switching.cancel_copy() else "no copy was begun")
