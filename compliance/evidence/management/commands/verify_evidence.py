"""`verify_evidence FILE.zip`: check a pack offline, by the same program that lies inside it as verify.py."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from compliance.evidence import verify


class Command(BaseCommand):
    """Exit 0 if all of it holds, 1 if something does not, 3 if something could not be worked out again."""

    help = "Check an evidence pack: events to quantities to amounts to totals, every hash, and the audit chain."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE.zip")
        parser.add_argument("--key", help="The public key that must have signed it, in hex (audit_anchor --key).")

    def handle(self, *args: Any, **options: Any) -> None:
        code = verify.run(Path(options["file"]), self.stdout.write, options["key"])
        if code != verify.HOLDS:
            sys.exit(code)
