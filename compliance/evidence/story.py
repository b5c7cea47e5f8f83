"""Why a line is this amount, told in sentences to the customer's accountant."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from compliance.evidence import shares
from compliance.evidence.rules import spans
from compliance.evidence.trace import Trace
from core import money
from invoicing.cycle.models import Invoice, InvoiceLine
from invoicing.policy.models import TriggerPolicy
from invoicing.pricing.rules import params as price_params
from invoicing.pricing.rules import words
from invoicing.rating.rules.proration import Share

STEPS_MAX = 6
DECIMALS_MAX = 10
MEASURED = {
    "sum": "the sum over {events}",
    "count": "that many events",
    "max": "the highest value among {events}",
    "min": "the lowest value among {events}",
    "average": "the average over {events}",
    "last": "the last value of {events}",
    "unique_count": "the different values among {events}",
    "time_weighted_sum": "the level that {events} made, weighed by how long it lasted",
    "prorated_sum": "the level of each day that {events} made, over the days of the period",
    "prorated_unique_count": "the days on which each value of {events} was held, over the days of the period",
}


def tell(walked: Trace) -> list[str]:
    """The line, what it measures, the price in force, each step, the rounding, what it corrects, and who decided."""
    return [
        *_line(walked),
        *_usage(walked),
        *_grounds(walked),
        *shares.tell(walked.agreed, is_fee=walked.snapshot is None, zone=zone_of(walked.line.invoice)),
        *_price(walked),
        *_steps(walked),
        *_correction(walked),
        *_policy(walked.line.invoice.policy),
        *_states(walked.line.invoice),
    ]


def when(line: InvoiceLine) -> str:
    """The time that a line is for, in the days of its customer."""
    return spans.tell(line.segment_start, line.segment_end, zone=zone_of(line.invoice))


def amount(value: Decimal, currency: str) -> str:
    """1,250.00 EUR."""
    return f"{money.round_amount(value, currency=currency):,f} {currency}"


def grouped(number: Decimal) -> str:
    """1234567.50 → 1,234,567.5, exactly."""
    whole, _, fraction = money.plain(number).partition(".")
    sign, digits = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}{int(digits):,}" + (f".{fraction}" if fraction else "")


def shortened(number: Decimal) -> str:
    """The same, with as many decimals as somebody reads; a price keeps all of them."""
    whole, point, fraction = grouped(number).partition(".")
    return f"{whole}{point}{fraction}" if len(fraction) <= DECIMALS_MAX else f"{whole}.{fraction[:DECIMALS_MAX]}…"


def _line(walked: Trace) -> Iterator[str]:
    line, invoice = walked.line, walked.line.invoice
    who = invoice.opened_parties.get("customer", {}).get("name") or invoice.customer.code
    charged = (
        f"charges {who} {amount(line.amount, invoice.currency)}"
        if line.amount >= 0
        else (f"gives {who} back {amount(-line.amount, invoice.currency)}")
    )
    yield f"Line {line.position} of {invoice} {charged} for {line.description}, {when(line)}."
    if line.adjusts_id is None:
        yield from _why_it_ends(walked, invoice)


def _why_it_ends(walked: Trace, invoice: Invoice) -> Iterator[str]:
    """Why the line covers a part of the period only: another plan or another price, with what stands on other lines."""
    start, end = walked.line.segment_start, walked.line.segment_end
    plans = invoice.cycle.subscription.phases.select_related("plan")
    if start > invoice.period_start and (phase := plans.filter(starts_at=start).first()):
        yield f"It begins there because the plan {phase.plan.name} began; what was before is on lines of its own."
    if end < invoice.period_end and (phase := plans.filter(starts_at=end).first()):
        yield f"It ends there because the plan {phase.plan.name} followed; what came after is on lines of its own."
    elif end < invoice.period_end and walked.next_price is not None and walked.next_price.effective_at == end:
        yield "It ends there because another version of the price followed, on a line of its own."


def zone_of(invoice: Invoice) -> str:
    """In whose days the invoice speaks."""
    return str(invoice.parties.get("customer", {}).get("time_zone") or "UTC")


def _usage(walked: Trace) -> Iterator[str]:
    snapshot = walked.snapshot
    if snapshot is None:
        if not walked.grounds:
            yield f"It is a fee that does not depend on usage: {grouped(walked.rated.quantity)} of it."
        return
    events = f"{snapshot.event_count:,} event{'' if snapshot.event_count == 1 else 's'}"
    made = MEASURED.get(snapshot.meter_version.aggregation, "what the meter makes of {events}").format(events=events)
    quantity = f"{grouped(snapshot.quantity)} {snapshot.meter.unit}"
    yield f"In that time {snapshot.meter.name} measured {quantity}: {made}."
    yield (
        f"Counted was everything captured by {_at(snapshot.watermark.fixed_at)}; what came after is corrected on a"
        " later invoice."
    )
    if walked.rated.part_count is not None:
        parts = f"{walked.rated.part_count:,}"
        yield f"The price looks closer than at the total: at {parts} parts of the usage, listed below."


def _grounds(walked: Trace) -> Iterator[str]:
    if walked.grounds:
        named = ", ".join(
            f"{row.ground.charge.name} {amount(row.ground.amount, row.ground.currency)}" for row in walked.grounds
        )
        yield f"It rates what other lines of the plan come to: {named}."


def _price(walked: Trace) -> Iterator[str]:
    rated, version = walked.rated, walked.rated.price_version
    decided = "" if version.decided_by is None else f", approved by {version.decided_by} on {_day(version.decided_at)}"
    after = walked.next_price
    until = "and not followed by another when this was rated" if after is None else f"until {_at(after.effective_at)}"
    what = f"version {version.version} of {rated.charge.name} in the plan {rated.charge.plan.name}"
    yield f"The price in force was {what}, since {_at(rated.effective_at)} {until}{decided}."
    unit = walked.snapshot.meter.unit if walked.snapshot else ""
    parsed = price_params.parse_params(model=version.model, params=version.params)
    yield "It says: " + "; ".join(words.price_in_words(parsed, currency=rated.currency, unit=unit)) + "."
    if rated.fee_version is not None:
        yield f"The figures are those of {rated.fee_version.program.name}, version {rated.fee_version.version}."


def _steps(walked: Trace) -> Iterator[str]:
    rated = walked.rated
    shown = rated.computation[:STEPS_MAX]
    for step in shown:
        product = _product(step, share=walked.agreed.share)
        yield f"{step['label']}: {product}{shortened(Decimal(step['amount']))}.".replace("….", "…")
    if len(rated.computation) > len(shown):
        yield f"And {len(rated.computation) - len(shown)} more steps, listed below."
    exact, rounded = shortened(rated.amount_exact), amount(rated.amount, rated.currency)
    yield f"Together that is {exact}, rounded once to {rounded}."


def _product(step: dict[str, Any], *, share: Share) -> str:
    """1,500 × 0.002 =; 1 × 49 × 14/31 =, where a period divides it; nothing where a step is money alone."""
    quantity, price, fee = (Decimal(step[name]) for name in ("quantity", "unit_price", "flat_fee"))
    if not price and not quantity:
        return ""
    whole = quantity * price + fee
    part = "" if Decimal(step["amount"]) == whole else f" × {shares.fraction(share)}"
    return f"{grouped(quantity)} × {grouped(price)}" + (f" + {grouped(fee)}" if fee else "") + f"{part} = "


def _correction(walked: Trace) -> Iterator[str]:
    billed = walked.billed_before
    if billed is None:
        return
    currency = walked.line.invoice.currency
    first = walked.line.adjusts
    if first is None:
        whole, before = amount(walked.rated.amount, currency), amount(billed.amount, currency)
        rest = amount(walked.line.amount, currency)
        yield f"Of the {whole} for all that was used, {before} had been billed inside the period; the rest is {rest}."
        return
    yield (
        f"It corrects {first}: as known now that comes to {amount(walked.rated.amount, currency)}, of which "
        f"{amount(billed.amount, currency)} had been billed; the difference is {amount(walked.line.amount, currency)}."
    )


def _policy(policy: TriggerPolicy | None) -> Iterator[str]:
    if policy is None:
        return
    live = policy.sign_offs.filter(voided_at=None).select_related("person").order_by("id")
    signed = ", ".join(f"{each.person} for {each.role}" for each in live)
    yield f"The invoice was made under the policy {policy.program}, version {policy.version}, signed by {signed}."


def _states(invoice: Invoice) -> Iterator[str]:
    moves = invoice.transitions.select_related("actor").order_by("id")
    told = [f"{move.to_status} {_day(move.moved_at)}" + (f" by {move.actor}" if move.actor else "") for move in moves]
    yield "Its states: " + ", then ".join(told) + "."


def _day(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(UTC):%-d %b %Y}"


def _at(at: datetime) -> str:
    at = at.astimezone(UTC)
    return f"{at:%-d %b %Y}" if (at.hour, at.minute) == (0, 0) else f"{at:%-d %b %Y %H:%M} UTC"
