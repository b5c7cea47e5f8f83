"""`personal_keys seal|rotate`: keys for what is kept of persons, another master key for those."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from core import bring_over, sealing


class Command(BaseCommand):
    """May be stopped and begun again; what is done is done."""

    help = (
        "seal: rows from before there were keys of persons. rotate: wrap every key with the first of "
        "PERSONAL_DATA_KEYS, after which the older ones can be put away."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["seal", "rotate"])

    def handle(self, *args: Any, **options: Any) -> None:
        if options["what"] == "seal":
            for name, count in bring_over.seal_plain_rows():
                self.stdout.write(f"{count} {name} sealed")
            for name, count in bring_over.seal_told_texts():
                self.stdout.write(f"{count} {name} sealed")
            return
        for count in bring_over.wrap_anew():
            self.stdout.write(f"{count} keys wrapped by {sealing.present_master()}")
        self.stdout.write(f"{bring_over.mark_anew()} rows can be found by their words")
