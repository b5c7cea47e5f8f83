"""`restore_drill [--file DUMP]`: restore a backup beside the live database, look at it, and keep what was found."""

import getpass
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from compliance.launch import drill
from compliance.launch.boxes import backups
from core.errors import DomainError

NOT_RESTORED = 2


class Command(BaseCommand):
    """Exit 0 if the copy is sound, 1 if something in it is not, 2 if it cannot be restored at all."""

    help = "Restore a backup into a scratch database, check the invariants there, and record the outcome."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--file", type=Path, metavar="DUMP", help="A backup of `db backup`; otherwise one is taken."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            kept = drill.run_drill(file=options["file"], made_by=getpass.getuser(), now=timezone.now)
        except DomainError as error:
            raise CommandError(error.message, returncode=NOT_RESTORED) from error
        for name, value in backups.facts_of(kept):
            self.stdout.write(f"{name}: {value}")
        for table, restored, live in backups.figures_of(kept):
            self.stdout.write(f"{table}: {restored} rows restored, {live} live")
        for flaw in kept.flaws:
            self.stderr.write(flaw)
        self.stdout.write("The backup is sound." if kept.is_sound else "The backup is NOT sound.")
        if not kept.is_sound:
            sys.exit(1)
