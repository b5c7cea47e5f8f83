"""Work out what customers owe or will owe by now, and keep it: any number of customers by the same statements."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F, Sum

from core import money
from invoicing.cycle.models import Invoice
from invoicing.exposure import past, pieces, price, program_costs
from invoicing.exposure.models import Exposure, ExposureDay
from invoicing.exposure.price import PricedBill, PricedLine
from invoicing.exposure.read_usage import Before, Key, ReadFrom
from invoicing.exposure.rules import ahead
from invoicing.ledger import queries as ledger_queries

ZERO = Decimal(0)
Owner = tuple[int, str]  # a customer and a currency
UNDECIDED = (Invoice.Status.DRAFT, Invoice.Status.HELD, Invoice.Status.APPROVED)
FIGURES = [
    "unbilled",
    "drafted",
    "unpaid",
    "total",
    "projected",
    "elapsed",
    "past",
    "usage",
    "inputs",
    "is_behind",
    "recount_at",
    "is_complete",
    "as_of",
    "watermark_seq",
]


@dataclass(slots=True)
class _Sums:
    """What is put together for one customer in one currency."""

    bills: list[PricedBill] = field(default_factory=list)
    drafted: Decimal = ZERO
    unpaid: Decimal = ZERO


def measure_customers(customer_ids: Sequence[int], *, watermark_seq: int, at: datetime) -> int:
    """Bring the exposures of these customers up to date; how many rows were written.

    Call it outside a transaction: what sums cannot tell is counted behind captures in flight.
    """
    known = {
        (row.customer_id, row.currency): row
        for row in Exposure.objects.filter(customer__in=customer_ids).order_by("pk")
    }
    open_time = pieces.open_pieces(customer_ids, at=at)
    bills = price.price_pieces(open_time, before=_counted_before(known.values()), at=at)
    costs = program_costs.project_costs(bills, watermark_seq=watermark_seq, at=at)
    found: dict[Owner, _Sums] = defaultdict(_Sums, {owner: _Sums() for owner in known})
    for priced in bills:
        found[priced.bill.customer.pk, priced.bill.currency].bills.append(priced)
    for owner, amount in _drafted(customer_ids):
        found[owner].drafted = amount
    for owner, amount in ledger_queries.owed_by_customers(customer_ids).items():
        found[owner].unpaid = amount
    earlier = past.final_totals(customer_ids)
    rows = [
        _row(owner, sums, past=earlier.get(owner, []), watermark_seq=watermark_seq, at=at)
        for owner, sums in sorted(found.items())
    ]
    with transaction.atomic():
        _keep(rows)
        program_costs.keep_costs(costs)
    return len(rows)


def _drafted(customer_ids: Sequence[int]) -> list[tuple[Owner, Decimal]]:
    drafts = Invoice.objects.filter(customer__in=customer_ids, status__in=UNDECIDED)
    sums = (
        drafts.values_list("customer", "currency")
        .annotate(amount=Sum(F("total") - F("prepaid") + F("payable_rounding")))
        .order_by()
    )
    return [((customer_id, currency), Decimal(amount)) for customer_id, currency, amount in sums]


def _row(owner: Owner, sums: _Sums, *, past: list[dict[str, str]], watermark_seq: int, at: datetime) -> Exposure:
    customer_id, currency = owner
    payables = [priced.payable for priced in sums.bills]
    unbilled = sum(payables, ZERO)
    running = [(one, payable) for one, payable in zip(sums.bills, payables, strict=True) if one.running is not None]
    behind = [one.read.is_behind for priced in sums.bills for one in priced.lines]
    seqs = [one.read.seq for priced in sums.bills for one in priced.lines if one.read.seq is not None]
    return Exposure(
        customer_id=customer_id,
        currency=currency,
        unbilled=unbilled,
        drafted=sums.drafted,
        unpaid=sums.unpaid,
        total=unbilled + sums.drafted + sums.unpaid,
        projected=sum((_projected(one, payable, at=at) for one, payable in running), ZERO),
        elapsed=max((_elapsed(one, at=at) for one, _ in running), default=ZERO),
        past=past,
        usage=_usage(one for priced, _ in running for one in priced.lines),
        inputs={"bills": [_bill_inputs(priced, payable) for priced, payable in zip(sums.bills, payables, strict=True)]},
        is_behind=any(behind),
        recount_at=min(
            (one.read.counted_anew_at for priced in sums.bills for one in priced.lines if one.read.counted_anew_at),
            default=None,
        ),
        is_complete=not any(behind) and not any(priced.flaws for priced in sums.bills),
        as_of=at,
        watermark_seq=min([watermark_seq, *seqs]),
    )


def _projected(priced: PricedBill, payable: Decimal, *, at: datetime) -> Decimal:
    assert priced.running is not None  # noqa: S101  asked by the caller
    bill = priced.bill
    whole = ahead.project(
        payable=payable + priced.prepaid + priced.billed_inside,
        lines=[(line.rated.amount, line.charge.meter_id is not None) for line in bill.lines],
        passed=_passed(priced, at=at),
        whole=priced.running.microseconds,
        currency=bill.currency,
    )
    left = whole - priced.billed_inside
    return left - max(min(priced.prepaid_left, left), ZERO)


def _elapsed(priced: PricedBill, *, at: datetime) -> Decimal:
    assert priced.running is not None  # noqa: S101  as above
    return ahead.elapsed_share(passed=_passed(priced, at=at), whole=priced.running.microseconds)


def _passed(priced: PricedBill, *, at: datetime) -> int:
    assert priced.running is not None  # noqa: S101  as above
    return int((at - priced.running.start).total_seconds() * 1_000_000)


def _usage(lines: Iterable[PricedLine]) -> list[dict[str, str]]:
    """Per meter what is used in the running period, and what of it is included, whatever the price versions in it."""
    found: dict[tuple[str, datetime], tuple[Decimal, Decimal]] = {}
    for one in lines:
        meter = one.line.charge.meter
        if meter is not None:
            key = meter.code, one.segment.period.end
            quantity, included = found.get(key, (ZERO, ZERO))
            found[key] = quantity + one.read.usage.quantity, included + one.included
    return [
        {
            "meter": code,
            "quantity": money.plain(quantity),
            "included": money.plain(included),
            "period_end": end.astimezone(UTC).isoformat(),
        }
        for (code, end), (quantity, included) in sorted(found.items())
    ]


def _bill_inputs(priced: PricedBill, payable: Decimal) -> dict[str, Any]:
    bill = priced.bill
    rated = {id(one.line): one for one in priced.lines}
    return {
        "subscription": bill.due.subscription_id,
        "start": bill.period.start.astimezone(UTC).isoformat(),
        "end": bill.period.end.astimezone(UTC).isoformat(),
        "is_running": priced.running is not None,
        "payable": money.amount_text(payable, currency=bill.currency),
        "prepaid": money.amount_text(priced.prepaid, currency=bill.currency),
        "flaws": priced.flaws,
        "lines": [
            {
                "charge": line.charge.code,
                "amount": money.amount_text(line.amount, currency=bill.currency),
                "rated": money.amount_text(line.rated.amount, currency=bill.currency),
                **(_read_inputs(rated[id(line)]) if id(line) in rated else {"read_from": ReadFrom.AGREEMENT.value}),
            }
            for line in bill.lines
        ],
    }


def _read_inputs(one: PricedLine) -> dict[str, Any]:
    segment, read = one.segment, one.read
    return {
        "charge_id": segment.charge_id,
        "price_version_id": segment.price_version_id,
        "meter": None if one.line.charge.meter is None else one.line.charge.meter.code,
        "start": segment.start.astimezone(UTC).isoformat(),
        "end": segment.end.astimezone(UTC).isoformat(),
        "quantity": money.plain(read.usage.quantity),
        "events": read.events,
        "read_from": read.read_from.value,
        "counted_at": None if read.counted_at is None else read.counted_at.astimezone(UTC).isoformat(),
    }


def _counted_before(rows: Iterable[Exposure]) -> dict[Key, Before]:
    """What earlier looks counted from events, by segment."""
    found: dict[Key, Before] = {}
    for row in rows:
        for bill in row.inputs["bills"]:
            for line in bill["lines"]:
                if line.get("counted_at"):
                    key = (
                        bill["subscription"],
                        line["charge_id"],
                        line["price_version_id"],
                        datetime.fromisoformat(line["start"]),
                        datetime.fromisoformat(line["end"]),
                    )
                    found[key] = Before(
                        quantity=Decimal(line["quantity"]),
                        events=line["events"],
                        amount=Decimal(line.get("rated", line["amount"])),
                        counted_at=datetime.fromisoformat(line["counted_at"]),
                    )
    return found


def _keep(rows: Sequence[Exposure]) -> None:
    Exposure.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["customer", "currency"], update_fields=FIGURES
    )
    days = [
        ExposureDay(
            customer_id=row.customer_id,
            currency=row.currency,
            day=row.as_of.astimezone(UTC).date(),
            unbilled=row.unbilled,
            total=row.total,
            as_of=row.as_of,
        )
        for row in rows
    ]
    ExposureDay.objects.bulk_create(
        days,
        update_conflicts=True,
        unique_fields=["customer", "currency", "day"],
        update_fields=["unbilled", "total", "as_of"],
    )
