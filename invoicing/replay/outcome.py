"""What was drafted, as plain values that can be compared: each document with its lines and the events behind them."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from core import canonical, money
from core.told import Told
from invoicing.cycle.models import Invoice, InvoiceLine
from invoicing.rating.models import RatedLine
from metering import queries as metering_queries
from metering.models import AggregationSnapshot

Document = dict[str, Any]
ADDS = "add"


def read_documents(invoice_ids: Iterable[int]) -> list[Document]:
    """The documents in the order of their keys, with nothing in them that depends on when or where they were made."""
    found = Invoice.objects.filter(pk__in=list(invoice_ids)).select_related("cycle", "customer").order_by("pk")
    return sorted((_document(invoice) for invoice in found), key=lambda one: str(one["key"]))


def key_of(invoice: Invoice) -> str:
    """Which document it is, wherever it is drafted: of interim ones and corrections several stand on one period."""
    start = instant(invoice.cycle.period_start)
    key = f"{invoice.customer.code}/{invoice.cycle.subscription_id}/{invoice.kind}/{start}"
    if invoice.kind == Invoice.Kind.CYCLE:
        return key
    same = Invoice.objects.filter(cycle=invoice.cycle, kind=invoice.kind, credits=None, pk__lt=invoice.pk)
    return f"{key}/{same.exclude(status=Invoice.Status.DISCARDED).count() + 1}"


def instant(value: Any) -> str:
    return canonical.canonical_bytes(value).decode().strip('"')


def _document(invoice: Invoice) -> Document:
    lines = invoice.lines.select_related(
        "rated_line__charge__plan",
        "rated_line__price_version",
        "rated_line__fee_version__program",
        "rated_line__snapshot__meter_version",
        "rated_line__snapshot__meter",
        "adjusts",
    )
    terms = invoice.allowances_charges.all()
    said = partial(money.amount_text, currency=invoice.currency)
    return {
        "key": key_of(invoice),
        "customer": invoice.customer.code,
        "subscription": invoice.cycle.subscription_id,
        "kind": invoice.kind,
        "document_type": invoice.document_type,
        "currency": invoice.currency,
        "period": [instant(invoice.period_start), instant(invoice.period_end)],
        "lines": sorted((_line(line) for line in lines), key=_order),
        "on_document": [
            {"kind": one.kind, **_reason(one), "amount": said(one.amount), "tax": _tax(one)}
            for one in sorted(terms, key=lambda one: one.position)
        ],
        "taxes": [
            {
                "tax": f"{one.category} {money.plain(one.percent)}",
                "taxable": said(one.taxable),
                "amount": said(one.tax),
            }
            for one in invoice.taxes.all()
        ],
        "subtotal": said(invoice.subtotal),
        "tax": said(invoice.tax),
        "total": said(invoice.total),
        "payable": said(invoice.payable),
        "breaks": sorted(_breaks(invoice)),
    }


def _breaks(invoice: Invoice) -> Sequence[str]:
    """Those that its draft was born with; what a later recheck found is of that day."""
    born = invoice.breaks.filter(opened_at=invoice.drafted_at)
    return list(born.values_list("name", flat=True))


def _order(line: dict[str, Any]) -> tuple[str, ...]:
    return (line["charge"], *line["segment"], line["adjusts"] or "", line["price"], line["quantity"], line["amount"])


def _reason(one: Any) -> dict[str, str]:
    """As printed; what was agreed with one customer is sealed, and stays behind as a name does."""
    return {} if isinstance(one.reason, Told) else {"reason": one.reason}


def _tax(one: Any) -> str:
    return f"{one.tax_category} {money.plain(one.tax_percent)}"


def _line(line: InvoiceLine) -> dict[str, Any]:
    rated = line.rated_line
    return {
        "charge": f"{rated.charge.plan.code}/{rated.charge.code}",
        "meter": line.meter_code,
        "segment": [instant(line.segment_start), instant(line.segment_end)],
        "quantity": money.plain(line.quantity),
        "price": f"v{rated.price_version.version}",
        "price_version": rated.price_version_id,
        "fee_version": _fee(rated),
        "amount": money.amount_text(line.amount, currency=line.invoice.currency),
        "adjusts": None if line.adjusts is None else instant(line.adjusts.segment_start),
        "tax": _tax(line),
        "events": {} if rated.snapshot is None else _events(rated.snapshot),
    }


def _fee(rated: RatedLine) -> str | None:
    return None if rated.fee_version is None else f"{rated.fee_version.program.code} v{rated.fee_version.version}"


def _events(snapshot: AggregationSnapshot) -> dict[str, str]:
    """What the meter read from each event that was counted, by identity."""
    return {f"{row.source} {row.event_id}": _value(row) for row in metering_queries.iterate_snapshot_events(snapshot)}


def _value(row: metering_queries.EventRow) -> str:
    read = "nothing" if row.value is None else row.value if isinstance(row.value, str) else money.plain(row.value)
    return read if row.operation in ("", ADDS) else f"{read} {row.operation}"
