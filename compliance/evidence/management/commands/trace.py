"""`trace INVOICE[:LINE]`: walk a line back to its events and forward to its amount; exit 1 where they differ."""

import sys
from io import StringIO
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table
from rich.text import Text

from compliance.evidence import events, given_back, shares, story, trace
from compliance.evidence.given_back import GivenBack
from compliance.evidence.rules.proof import Check
from compliance.evidence.trace import Trace
from core import money
from core.errors import DomainError, NotFoundError
from invoicing.cycle.models import Invoice
from invoicing.rating.models import RatedLine
from metering.rules.envelope import CANCEL

UNKNOWN = 2
WIDTH = 140


class Command(BaseCommand):
    """Exit 0 if every amount follows from its events, 1 if one does not, 2 if there is no such invoice or line."""

    help = "Walk an invoice, or one line of it, back to the source events and forward again to the amount."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("invoice", metavar="INVOICE[:LINE]", help="Number or id, and the position of a line.")

    def handle(self, *args: Any, **options: Any) -> None:
        name, _, position = options["invoice"].partition(":")
        page = StringIO()
        is_terminal = self.stdout.isatty()
        console = Console(file=page, width=WIDTH, markup=False, highlight=False, force_terminal=is_terminal)
        try:
            is_equal = self._walk(console, name=name, position=position)
        except DomainError as error:
            raise CommandError(error.message, returncode=UNKNOWN) from error
        self.stdout.write(page.getvalue())
        if not is_equal:
            sys.exit(1)

    def _walk(self, console: Console, *, name: str, position: str) -> bool:
        invoice = trace.find_invoice(name=name)
        if position:
            return self._walk_one(console, invoice, position=position)
        notes = given_back.walk_credits(invoice)
        for credit in notes:
            self._print_given_back(console, credit)
        whole = trace.trace_invoice(invoice_id=invoice.pk)
        for walked in whole.traces:
            self._print_trace(console, walked)
        console.print(Text(f"{invoice}: what its lines add up to", style="bold"))
        console.print(_table(whole.checks))
        return whole.is_equal and all(credit.is_equal for credit in notes)

    def _walk_one(self, console: Console, invoice: Invoice, *, position: str) -> bool:
        line = invoice.lines.filter(position=position).first() if position.isdecimal() else None
        if line is not None:
            walked = trace.trace_line(line_id=line.pk)
            self._print_trace(console, walked)
            return walked.is_equal
        for credit in given_back.walk_credits(invoice):
            if str(credit.line.position) == position:
                self._print_given_back(console, credit)
                return credit.is_equal
        raise NotFoundError(f"{invoice} has no line {position}.")

    def _print_given_back(self, console: Console, credit: GivenBack) -> None:
        line = credit.line
        worth = money.amount_text(line.amount, currency=line.invoice.currency)
        console.print(Text(f"{line}: {line.description}, {worth} {line.invoice.currency}", style="bold"))
        for sentence in given_back.tell(credit):
            console.print(f"  {sentence}")
        console.print(_table(credit.checks))
        console.print()

    def _print_trace(self, console: Console, walked: Trace) -> None:
        line, snapshot = walked.line, walked.snapshot
        amount = money.amount_text(line.amount, currency=line.invoice.currency)
        console.print(Text(f"{line}: {line.description}, {amount} {line.invoice.currency}", style="bold"))
        for sentence in story.tell(walked):
            console.print(f"  {sentence}")
        console.print(f"  segment   {line.segment_start:%Y-%m-%d %H:%M:%S} to {line.segment_end:%Y-%m-%d %H:%M:%S} UTC")
        rated, version = walked.rated, walked.rated.price_version
        console.print(f"  price     {rated.charge}, version {version.version} since {version.effective_at:%Y-%m-%d}")
        if walked.agreed.is_divided:
            console.print(f"  share     {shares.in_words(walked.agreed.share)}")
        for standing in walked.grounds:
            console.print(f"  rates     {_other_line(standing.ground)}")
        for standing in walked.carries:
            console.print(f"  rated by  {_other_line(standing.line)}")
        if rated.part_count is not None:
            console.print(f"  parts     {rated.part_count}, SHA-256 {rated.parts_digest}")
        if snapshot is None and not walked.grounds:
            console.print("  source    a fee that does not depend on usage")
        elif snapshot is not None:
            console.print(
                f"  snapshot  #{snapshot.pk}: {money.plain(snapshot.quantity)} {snapshot.meter.unit} from"
                f" {snapshot.event_count} events up to watermark {snapshot.watermark}"
            )
            for row in events.corrected_events(snapshot):
                done = "cancelled" if row.action == CANCEL else "amended"
                because = f": {row.why}" if row.why else ""
                console.print(f"  left out  {row.event_id} of {row.source}, {done} by {row.by_event_id}{because}")
        if walked.billed_before:
            earlier = ", ".join(str(each) for each in walked.billed_before.lines)
            console.print(f"  {'corrects ' if walked.line.adjusts else 'less     '} {earlier}")
        self._print_followed(console, walked)
        console.print(_table(walked.checks))
        difference = walked.first_difference
        verdict = "The amount follows from its events." if difference is None else f"They part at: {difference.step}."
        console.print(Text(verdict, style="green" if difference is None else "bold red"))
        console.print()

    def _print_followed(self, console: Console, walked: Trace) -> None:
        for later in walked.followed:
            where = f"{later.invoice} {'credit' if later.is_credit else 'line'} {later.position}"
            worth = money.amount_text(later.amount, currency=later.invoice.currency)
            console.print(f"  later     {later.how} {where}: {worth} {later.invoice.currency}")


def _other_line(rated: RatedLine) -> str:
    billed = getattr(rated, "invoice_line", None)
    where = f", {billed}" if billed else ""
    return f"{rated.charge}: {money.amount_text(rated.amount, currency=rated.currency)} {rated.currency}{where}"


def _table(checks: tuple[Check, ...]) -> Table:
    table = Table("step")
    for heading in ("in the books", "done again"):
        table.add_column(heading, overflow="fold")
    table.add_column()
    for check in checks:
        mark = Text("equal", style="green") if check.is_equal else Text("DIFFERS", style="bold red")
        table.add_row(check.step, check.claimed, check.found, mark)
    return table
