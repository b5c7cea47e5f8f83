"""A share of what events are worth, with fixed fees, free parts and limits (Lago `percentage_service_spec`)."""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

from core import money
from invoicing.pricing.rules.params import PercentageParams
from invoicing.rating.rules.steps import NOTHING, Step, amount_step, free_step, merge, total, units_step
from invoicing.rating.rules.usage import Breakdown, Part


def price_rate(*, params: PercentageParams, quantity: Decimal) -> tuple[Step, ...]:
    """The rate on the whole amount, where nothing asks for the events."""
    return (units_step(_rate(params), quantity=quantity, unit_price=params.rate_percent.scaleb(-2)),)


def price_events(*, params: PercentageParams, parts: Iterable[Part]) -> tuple[Step, ...]:
    """Rate and fixed fee of every event after the free part, each event within its limits; together never below 0.

    Events that are worth nothing together are no usage, and cost no fee (Lago).
    """
    charge = _charge_by(params)
    steps = merge(_charged(part, charge) if charged else _free(part) for part, charged in _after_free(parts, params))
    if not sum((step.quantity for step in steps), NOTHING):
        return (free_step("No usage, no fee", quantity=NOTHING),) if steps else ()
    return _never_below_zero(steps)


def breakdown(params: PercentageParams) -> Breakdown | None:
    """The events one by one where there is a free part or a limit; their number where each has a fixed fee."""
    if params.looks_at_events:
        return Breakdown(
            "events",
            in_any_order=not params.has_free_part,
            free_events=params.free_events,
            free_amount=params.free_total_amount,
            free_by_value=params.has_free_part and params.has_limits,
        )
    return Breakdown("properties") if params.fixed_amount_per_event else None


def _after_free(parts: Iterable[Part], params: PercentageParams) -> Iterator[tuple[Part, bool]]:
    """The parts in their order, each with whether it is charged; one that crosses the free amount is cut there.

    The free part ends for good at the first event that goes beyond the free events or the free amount.
    """
    limits = (params.free_events, params.free_total_amount)
    is_free, events, amount = limits != (None, None), 0, Decimal(0)
    for part in parts:
        if not is_free:
            yield part, True
            continue
        events, amount = events + part.events, amount + part.quantity
        if params.free_events is not None and events > params.free_events:
            is_free = False
            yield part, True
        elif params.free_total_amount is not None and amount > params.free_total_amount:
            is_free = False
            beyond = min(amount - params.free_total_amount, part.quantity)
            if beyond < part.quantity:
                yield Part(part.quantity - beyond, events=0), False
            yield Part(beyond, events=part.events), True
        else:
            yield part, False


def _charged(part: Part, charge: Callable[[Part], Step]) -> Step:
    """What a part costs as often as it occurs."""
    step = charge(part)
    if part.times == 1:
        return step
    return step._replace(
        quantity=step.quantity * part.times, flat_fee=step.flat_fee * part.times, amount=step.amount * part.times
    )


def _free(part: Part) -> Step:
    return free_step("Free", quantity=part.quantity)


def _charge_by(params: PercentageParams) -> Callable[[Part], Step]:
    """What one event costs; all that is the same for every event is worked out once."""
    rate, fee, label = params.rate_percent.scaleb(-2), params.fixed_amount_per_event, _rate(params)
    least, most = params.per_transaction_min, params.per_transaction_max
    at_least = "" if least is None else f"At least {money.plain(least)} each"
    at_most = "" if most is None else f"At most {money.plain(most)} each"

    def charge(part: Part) -> Step:
        fees = fee * part.events
        amount = part.quantity * rate + fees
        if least is not None and amount < least and part.quantity >= 0:
            return Step(label=at_least, quantity=part.quantity, flat_fee=least, amount=least)
        if most is not None and amount > most:
            return Step(label=at_most, quantity=part.quantity, flat_fee=most, amount=most)
        return Step(label=label, quantity=part.quantity, unit_price=rate, flat_fee=fees, amount=amount)

    return charge


def _rate(params: PercentageParams) -> str:
    rate = f"{money.plain(params.rate_percent)} %"
    fee = params.fixed_amount_per_event
    return f"{rate} and {money.plain(fee)} for each event" if fee else rate


def _never_below_zero(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    amount = total(steps)
    if amount >= 0:
        return steps
    return (*steps, amount_step("Corrections exceed usage: charged as 0", amount=-amount))
