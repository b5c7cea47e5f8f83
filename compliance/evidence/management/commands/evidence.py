"""`evidence INVOICE[:LINE] [-o FILE.zip]`: write the evidence pack of an invoice, or of one line of it."""

import re
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from compliance.evidence import trace
from compliance.evidence.models import EvidencePack
from compliance.evidence.pack import ask, gather, make
from core.errors import DomainError, NotFoundError

UNKNOWN = 2
_LINE_NUMBER = re.compile(r"[0-9]{1,9}")


class Command(BaseCommand):
    """Exit 2 if there is no such invoice or line."""

    help = "Write the evidence pack of an invoice, or of one line of it; check it with verify_evidence."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("invoice", metavar="INVOICE[:LINE]", help="Number or id, and the position of a line.")
        parser.add_argument("-o", "--output", metavar="FILE.zip", help="Where to; otherwise named after the invoice.")

    def handle(self, *args: Any, **options: Any) -> None:
        name, _, position = options["invoice"].partition(":")
        try:
            pack = self._make(name, position)
        except DomainError as error:
            code = UNKNOWN if isinstance(error, NotFoundError) else 1
            raise CommandError(error.message, returncode=code) from error
        path = Path(options["output"] or pack.file_name)
        with path.open("wb") as file:
            for block in make.read_pack(pack):
                file.write(block)
        self.stdout.write(f"{path}: {pack.event_count} events, {pack.size} bytes, SHA-256 {pack.sha256}")
        self.stdout.write(f"sealed as {pack.audit_entry.reference}; check it: python3 -I verify.py {path}")

    def _make(self, name: str, position: str) -> EvidencePack:
        invoice = trace.find_invoice(name=name)
        if position and not _LINE_NUMBER.fullmatch(position):
            raise NotFoundError(f"{invoice} has no line {position}.")
        line = ask.find_line(invoice, position=int(position) if position else None)
        total = gather.gather(invoice, line=line).event_count
        columns = (TextColumn("events"), BarColumn(), MofNCompleteColumn())
        console = Console(file=sys.stderr)
        with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task("events", total=total)
            return make.make_pack(
                invoice=invoice,
                line=line,
                actor=None,
                at=timezone.now(),
                progress=lambda done: bar.update(task, completed=done),
            )
