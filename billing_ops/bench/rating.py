"""How many lines one core rates in a second, model by model, against the bare Decimal arithmetic of the same model.

A rated line is what `rating.rate` makes of usage: the exact amount, its steps as they are stored, and the rounded
amount. The bare way only multiplies and adds, with the same numbers, and rounds.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from statistics import median
from typing import Any

from billing_ops.bench.rows import BenchError, BenchRow
from core import money
from invoicing.pricing.rules import params as price_params
from invoicing.rating import rules
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


@dataclass(frozen=True, slots=True)
class Subject:
    """A price, the usages it is tried on, and the same arithmetic without anything around it."""

    name: str
    model: str
    params: dict[str, Any]
    usages: Sequence[Usage]
    bare: Callable[[Usage], Decimal]


def run(*, rounds: int = 5, lines: int = 4000) -> list[BenchRow]:
    """Both ways in turn, so that what else the machine does meets both; medians of `rounds`."""
    return [_measure(subject, rounds=rounds, lines=lines) for subject in subjects()]


def subjects() -> list[Subject]:
    """Every model, with quantities in all of its tiers or with twenty events; and one with modifiers around it."""
    totals = [Usage(quantity) for quantity in QUANTITIES]
    events = [_events(offset) for offset in range(40)]
    return [
        Subject("flat", "flat", {"amount": str(FEE)}, totals, lambda used: used.quantity * FEE),
        Subject("standard", "standard", {"unit_amount": str(UNIT)}, totals, lambda used: used.quantity * UNIT),
        Subject("standard, with modifiers", "standard", MODIFIED, totals, _modified),
        Subject("graduated", "graduated", {"tiers": UNIT_TIERS}, totals, lambda used: _graduated(used.quantity)),
        Subject("volume", "volume", {"tiers": UNIT_TIERS}, totals, lambda used: _volume(used.quantity)),
        Subject("package", "package", PACKAGE, totals, lambda used: _blocks(used.quantity) * BLOCK),
        Subject("graduated package", "graduated_package", {"tiers": PACKAGE_TIERS}, totals, _graduated_blocks),
        Subject("volume package", "volume_package", {"tiers": PACKAGE_TIERS}, totals, _volume_blocks),
        Subject("graduated percentage", "graduated_percentage", {"tiers": RATE_TIERS}, totals, _graduated_rates),
        Subject("percentage of 20 events", "percentage", CARD, events, _percentage),
        Subject("dynamic, 20 amounts", "dynamic", {"price_from": "event amount"}, events, _dynamic),
        Subject("bucketed, 20 buckets", "bucketed", {"inner": "graduated", "tiers": UNIT_TIERS}, events, _bucketed),
        Subject("dimensional, 20 combinations", "dimensional", DIMENSIONS, events, _by_region),
    ]


def _measure(subject: Subject, *, rounds: int, lines: int) -> BenchRow:
    price = price_params.parse_params(model=subject.model, params=subject.params)

    def rate(usage: Usage) -> Decimal:
        computation = rules.compute(model=subject.model, params=price, usage=usage, currency="EUR")
        computation.as_json()
        return money.round_amount(computation.amount_exact, currency="EUR")

    def bare(usage: Usage) -> Decimal:
        return subject.bare(usage).quantize(CENT, rounding=ROUND_HALF_UP)

    if [rate(usage) for usage in subject.usages] != [bare(usage) for usage in subject.usages]:
        raise BenchError(f"{subject.name}: the bare arithmetic is not that of the model")
    parts = len(list(subject.usages[-1].parts)) or 1
    work = [subject.usages[number % len(subject.usages)] for number in range(lines // parts)]
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for way, measured in zip((rate, bare), seconds, strict=True):
            began = time.process_time()
            for usage in work:
                way(usage)
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
