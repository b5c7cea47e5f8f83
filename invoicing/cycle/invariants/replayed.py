"""The invariant of replay: raw events, counted and rated once more, give the bytes that were issued."""

from collections.abc import Iterator, Sequence
from itertools import islice

from django.db.models import Prefetch

from core.invariants import Invariant
from invoicing.cycle import content
from invoicing.cycle.models import Invoice, InvoiceLine
from invoicing.rating import rate
from metering import queries as metering_queries

STREAM_ROWS = 500


def _find_closed_cycles_that_replay_differently() -> Iterator[str]:
    """Put what a replay gives in the place of what is stored, and hash each final invoice again."""
    lines = Prefetch(
        "lines", queryset=InvoiceLine.objects.select_related("rated_line__snapshot").prefetch_related("deductions")
    )
    final = Invoice.objects.filter(status=Invoice.Status.FINAL).order_by("pk")
    whole = final.prefetch_related(lines, "taxes", "allowances_charges", "credit_lines")
    stream = whole.iterator(chunk_size=STREAM_ROWS)
    while invoices := list(islice(stream, STREAM_ROWS)):
        _replay([line for invoice in invoices for line in invoice.lines.all()])
        for invoice in invoices:
            again = content.hash_of(
                invoice,
                lines=invoice.lines.all(),
                deducted=content.deducted_by(invoice.lines.all()),
                taxes=invoice.taxes.all(),
                on_document=invoice.allowances_charges.all(),
                credit_lines=invoice.credit_lines.all(),
            )
            if again != invoice.content_hash:
                yield f"invoice {invoice.number}"


def _replay(lines: Sequence[InvoiceLine]) -> None:
    """Count the events behind each line, rate what was counted, and carry both over to the line; in memory only."""
    snapshots = {line.rated_line.snapshot.pk: line.rated_line.snapshot for line in lines if line.rated_line.snapshot}
    recounts = metering_queries.recount(list(snapshots.values()))
    for line in lines:
        rated, snapshot = line.rated_line, line.rated_line.snapshot
        if snapshot is not None:
            counted = recounts[snapshot.pk]
            line.quantity += counted.quantity - rated.quantity
            rated.quantity, snapshot.quantity = counted.quantity, counted.quantity
            snapshot.event_count, snapshot.digest = counted.event_count, counted.digest
    for line, again in zip(lines, rate.recompute_lines([line.rated_line for line in lines]), strict=True):
        line.amount += again.amount - line.rated_line.amount
        line.rated_line.amount, line.rated_line.computation = again.amount, again.as_json()


INVARIANTS = [
    Invariant(
        number=15,
        name="a final invoice, counted and rated once more from its raw events, is what was issued, byte for byte",
        find_offenders=lambda: list(_find_closed_cycles_that_replay_differently()),
    ),
]
