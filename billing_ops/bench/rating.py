"""How many lines one core rates in a second, model by model, against the bare Decimal arithmetic of the same model.

A rated line is what `rating.rate` makes of usage: the exact amount, its steps as they are stored, and the rounded
amount. The bare way only multiplies and adds, with the same numbers, and rounds.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from statistics import median
from typing import Any

from billing_ops.bench import plan_rating
from billing_ops.bench.rows import BenchError, BenchRow
from billing_ops.bench.subject import Subject
from core import money
from invoicing.pricing.rules import params as price_params
from invoicing.rating import rules
from invoicing.rating.rules.steps import Computation
from invoicing.rating.rules.usage import Part, Usage

CENT = Decimal("0.01")
ZERO = Decimal(0)
QUANTITIES = tuple(Decimal(units) / 8 for units in range(0, 8 * 3000, 37))
EVENTS = 20
UNIT, SIZE, BLOCK = Decimal("0.0025"), Decimal(100), Decimal("1.5")
RATE, FEE, LEAST, MOST = Decimal("0.029"), Decimal("0.3"), Decimal("0.5"), Decimal(12)
# End, price of a unit, fee of the tier.
TIERS: tuple[tuple[Decimal | None, Decimal, Decimal], ...] = (
    (Decimal(100), Decimal("0.05"), Decimal(1)),
    (Decimal(1000), Decimal("0.04"), Decimal(0)),
    (None, Decimal("0.025"), Decimal(5)),
)
ENDS = [{"up_to": None if end is None else str(end), "flat_amount": str(fee)} for end, _, fee in TIERS]
UNIT_TIERS = [{**end, "unit_amount": str(price)} for end, (_, price, _) in zip(ENDS, TIERS, strict=True)]
RATE_TIERS = [{**end, "rate_percent": str(price * 100)} for end, (_, price, _) in zip(ENDS, TIERS, strict=True)]
PACKAGE_TIERS = [
    {**end, "package_size": str(SIZE), "package_amount": str(price)}
    for end, (_, price, _) in zip(ENDS, TIERS, strict=True)
]
PACKAGE = {"package_amount": str(BLOCK), "package_size": str(SIZE), "free_units": "0"}
MODIFIED = {"unit_amount": str(UNIT), "included_quantity": "100", "discount_percent": "10", "minimum_amount": "1"}
CARD = {
    "rate_percent": "2.9",
    "fixed_amount_per_event": str(FEE),
    "per_transaction_min": str(LEAST),
    "per_transaction_max": str(MOST),
}
REGIONS = {f"r{number}": UNIT * number for number in range(1, EVENTS)}
DIMENSIONS = {
    "inner": "standard",
    "prices": [{"match": {"region": name}, "params": {"unit_amount": str(price)}} for name, price in REGIONS.items()],
    "default": {"unit_amount": str(UNIT)},
}


def run(*, rounds: int = 5, lines: int = 4000) -> list[BenchRow]:
    """Both ways in turn, so that what else the machine does meets both; medians of `rounds`."""
    return [_measure(subject, rounds=rounds, lines=lines) for subject in subjects()]


def subjects() -> list[Subject]:
    """Every model, with quantities in all of its tiers or with twenty events or lines; one with modifiers around it."""
    totals = [Usage(quantity) for quantity in QUANTITIES]
    events = [_events(offset) for offset in range(40)]
    return [
        _of_usage("flat", "flat", {"amount": str(FEE)}, totals, lambda used: used.quantity * FEE),
        _of_usage("standard", "standard", {"unit_amount": str(UNIT)}, totals, lambda used: used.quantity * UNIT),
        _of_usage("standard, with modifiers", "standard", MODIFIED, totals, _modified),
        _of_usage("graduated", "graduated", {"tiers": UNIT_TIERS}, totals, lambda used: _graduated(used.quantity)),
        _of_usage("volume", "volume", {"tiers": UNIT_TIERS}, totals, lambda used: _volume(used.quantity)),
        _of_usage("package", "package", PACKAGE, totals, lambda used: _blocks(used.quantity) * BLOCK),
        _of_usage("graduated package", "graduated_package", {"tiers": PACKAGE_TIERS}, totals, _graduated_blocks),
        _of_usage("volume package", "volume_package", {"tiers": PACKAGE_TIERS}, totals, _volume_blocks),
        _of_usage("graduated percentage", "graduated_percentage", {"tiers": RATE_TIERS}, totals, _graduated_rates),
        _of_usage("percentage of 20 events", "percentage", CARD, events, _percentage),
        _of_usage("dynamic, 20 amounts", "dynamic", {"price_from": "event amount"}, events, _dynamic),
        _of_usage("bucketed, 20 buckets", "bucketed", {"inner": "graduated", "tiers": UNIT_TIERS}, events, _bucketed),
        _of_usage("dimensional, 20 combinations", "dimensional", DIMENSIONS, events, _by_region),
        *plan_rating.subjects(),
    ]


def _of_usage(
    name: str, model: str, params: dict[str, Any], usages: Sequence[Usage], bare: Callable[[Usage], Decimal]
) -> Subject:
    price = price_params.parse_params(model=model, params=params)

    def compute(usage: Usage) -> Computation:
        return rules.compute(model=model, params=price, usage=usage, currency="EUR")

    return Subject(name, compute, usages, bare, len(list(usages[-1].parts)) or 1)


def _measure(subject: Subject, *, rounds: int, lines: int) -> BenchRow:
    def rate(given: Any) -> Decimal:
        computation = subject.compute(given)
        computation.as_json()
        return money.round_amount(computation.amount_exact, currency="EUR")

    def bare(given: Any) -> Decimal:
        return subject.bare(given).quantize(CENT, rounding=ROUND_HALF_UP)

    if [rate(given) for given in subject.inputs] != [bare(given) for given in subject.inputs]:
        raise BenchError(f"{subject.name}: the bare arithmetic is not that of the model")
    work = [subject.inputs[number % len(subject.inputs)] for number in range(lines // subject.size)]
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for way, measured in zip((rate, bare), seconds, strict=True):
            began = time.process_time()
            for given in work:
                way(given)
            measured.append(time.process_time() - began)
    ours, theirs = (len(work) / median(measured) for measured in seconds)
    name = f"rated lines: {subject.name}"
    return BenchRow(name=name, value=ours, unit="lines/s", limit=theirs, ratio=ours / theirs)


def _events(offset: int) -> Usage:
    quantities = [QUANTITIES[(offset * 7 + number * 31) % 500] for number in range(EVENTS)]
    parts = tuple(
        Part(quantity, properties=(("region", f"r{number}"),), bucket=str(number), amount=quantity)
        for number, quantity in enumerate(quantities)
    )
    return Usage(sum(quantities, ZERO), parts)


def _split(quantity: Decimal) -> Iterator[tuple[Decimal, Decimal, Decimal]]:
    """Units, price and fee of every tier entered."""
    floor = ZERO
    for end, price, fee in TIERS:
        if end is None or quantity <= end:
            yield quantity - floor, price, fee
            return
        yield end - floor, price, fee
        floor = end


def _reached(quantity: Decimal) -> tuple[Decimal, Decimal]:
    return next((price, fee) for end, price, fee in TIERS if end is None or quantity <= end)


def _blocks(quantity: Decimal) -> Decimal:
    return (quantity / SIZE).to_integral_value(rounding=ROUND_CEILING)


def _graduated(quantity: Decimal) -> Decimal:
    return sum((units * price + fee for units, price, fee in _split(quantity)), ZERO)


def _volume(quantity: Decimal) -> Decimal:
    price, fee = _reached(quantity)
    return quantity * price + fee


def _graduated_blocks(used: Usage) -> Decimal:
    return sum((_blocks(units) * price + fee for units, price, fee in _split(used.quantity)), ZERO)


def _volume_blocks(used: Usage) -> Decimal:
    price, fee = _reached(used.quantity)
    return _blocks(used.quantity) * price + fee


def _graduated_rates(used: Usage) -> Decimal:
    return _graduated(used.quantity)


def _modified(used: Usage) -> Decimal:
    return max(max(used.quantity - 100, ZERO) * UNIT * Decimal("0.9"), Decimal(1))


def _percentage(used: Usage) -> Decimal:
    return sum((min(max(part.quantity * RATE + FEE, LEAST), MOST) for part in used.parts), ZERO)


def _dynamic(used: Usage) -> Decimal:
    return sum((part.amount or ZERO for part in used.parts), ZERO)


def _bucketed(used: Usage) -> Decimal:
    return sum((_graduated(part.quantity) for part in used.parts), ZERO)


def _by_region(used: Usage) -> Decimal:
    return sum((part.quantity * REGIONS.get(part.properties[0][1], UNIT) for part in used.parts), ZERO)
