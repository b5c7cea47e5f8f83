"""`audit_anchor`: put a signed head of the audit chain outside; `--check FILE`: whether the chain still has it."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from core import anchors, heads
from core.errors import DomainError


class Command(BaseCommand):
    """Exit 1 where the chain contradicts a head."""

    help = "Put a signed head of the audit chain into the configured places, or check heads that came back from there."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", metavar="FILE", help="Heads, one a line, such as a letter's; - reads the input.")
        parser.add_argument("--key", action="store_true", help="Print the public key, to be published.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["key"]:
            self.stdout.write(heads.public_key())
        elif options["check"]:
            self._check(options["check"])
        else:
            self._anchor()

    def _check(self, name: str) -> None:
        try:
            documents = anchors.read_lines(sys.stdin.read() if name == "-" else Path(name).read_text())
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CommandError(f"{name} holds no heads, one a line: {error}") from error
        flaws = list(heads.find_flaws(documents))
        for flaw in flaws:
            self.stdout.write(flaw)
        if flaws:
            sys.exit(1)
        self.stdout.write(f"The chain contains all {len(documents)} heads.")

    def _anchor(self) -> None:
        if not anchors.places():
            raise CommandError("No place is configured: set AUDIT_ANCHOR_FILE, AUDIT_ANCHOR_EMAIL or AUDIT_ANCHOR_URL.")
        try:
            made = anchors.anchor_chain(at=timezone.now())
        except DomainError as error:
            raise CommandError(error.message) from error
        for anchor in made:
            self.stdout.write(f"{anchor}")
        if not made:
            self.stdout.write("Every place has the present head already.")
