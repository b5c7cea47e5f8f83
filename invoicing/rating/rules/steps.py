"""How an amount came about: the steps of a computation, whose amounts add up to it exactly."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from core import money, rounding

NOTHING = Decimal(0)
STEPS_MAX = 100  # of a computation; its amount holds them all


# Prices and bounds come back in step after step; quantities and amounts do not.
_written = lru_cache(maxsize=10_000)(money.plain)


class Step(NamedTuple):
    """Some units at one price, with the fee that comes with them: quantity × unit price + flat fee = amount.

    `units` says how much of the usage it accounts for where `quantity` counts something else, such as packages.
    `becomes` says that from here on the units of `quantity` are counted as so many others. A named tuple, for lines
    have many steps and a frozen dataclass takes thrice as long to make.
    """

    label: str
    quantity: Decimal
    amount: Decimal
    unit_price: Decimal = NOTHING
    flat_fee: Decimal = NOTHING
    tier: int | None = None
    floor: Decimal | None = None
    up_to: Decimal | None = None
    units: Decimal | None = None
    becomes: Decimal | None = None

    def as_json(self) -> dict[str, str | int | None]:
        """Numbers as plain decimal strings; tiers, `units` and `becomes` only where they say something."""
        document: dict[str, str | int | None] = {"label": self.label}
        if self.tier is not None:
            document["tier"] = self.tier
            document["from"] = _written(self.floor or NOTHING)
            document["up_to"] = None if self.up_to is None else _written(self.up_to)
        document["quantity"] = money.plain(self.quantity)
        if self.units is not None:
            document["units"] = money.plain(self.units)
        if self.becomes is not None:
            document["becomes"] = money.plain(self.becomes)
        document["unit_price"] = _written(self.unit_price)
        document["flat_fee"] = _written(self.flat_fee)
        document["amount"] = money.plain(self.amount)
        return document


@dataclass(frozen=True, slots=True)
class Computation:
    """An amount before its one rounding, and the steps that make it."""

    amount_exact: Decimal
    steps: tuple[Step, ...]

    def as_json(self) -> list[dict[str, str | int | None]]:
        return [step.as_json() for step in self.steps]


def units_step(label: str, *, quantity: Decimal, unit_price: Decimal) -> Step:
    """Units × price."""
    return Step(label=label, quantity=quantity, unit_price=unit_price, amount=quantity * unit_price)


def free_step(label: str, *, quantity: Decimal) -> Step:
    """Units that cost nothing."""
    return Step(label=label, quantity=quantity, amount=NOTHING)


def amount_step(label: str, *, amount: Decimal) -> Step:
    """Money without units, such as a discount (below 0) or what is missing to a minimum."""
    return Step(label=label, quantity=NOTHING, flat_fee=amount, amount=amount)


def below_zero(quantity: Decimal) -> Step:
    """What corrections leave below 0 is charged as 0; a credit is a document of its own."""
    return free_step("Corrections exceed usage: charged as 0", quantity=quantity)


def total(steps: Iterable[Step]) -> Decimal:
    return sum((step.amount for step in steps), NOTHING)


def merge(steps: Iterable[Step]) -> tuple[Step, ...]:
    """One step for all that say the same of different units, in the order in which they first come."""
    piles: dict[tuple[str, int | None, Decimal], _Pile] = {}
    for step in steps:
        key = (step.label, step.tier, step.unit_price)
        pile = piles.get(key)
        if pile is None:
            piles[key] = _Pile(step)
        else:
            pile.add(step)
    return tuple(pile.step() for pile in piles.values())


def shorten(steps: Sequence[Step], *, most: int = STEPS_MAX) -> tuple[Step, ...]:
    """As many steps as can be kept and read; the rest in one, whose sums are exact."""
    if len(steps) <= most:
        return tuple(steps)
    rest = steps[most - 1 :]
    return (
        *steps[: most - 1],
        Step(
            label=f"And {len(rest)} more",
            quantity=sum((step.quantity for step in rest), NOTHING),
            units=sum((step.quantity if step.units is None else step.units for step in rest), NOTHING),
            becomes=sum((step.becomes for step in rest if step.becomes is not None), NOTHING) or None,
            flat_fee=total(rest),
            amount=total(rest),
        ),
    )


def units_left(document: Iterable[Mapping[str, Any]], *, quantity: Decimal) -> Decimal:
    """What of `quantity` no step of a written computation accounts for; 0 where the steps hold the whole."""
    with rounding.exactly():
        left = quantity
        for step in document:
            left -= Decimal(step.get("units", step["quantity"])) - Decimal(step.get("becomes", "0"))
    return left


class _Pile:
    """Steps that say the same, as they come: only their sums are held."""

    __slots__ = ("amount", "becomes", "first", "flat_fee", "quantity", "units")

    def __init__(self, first: Step) -> None:
        self.first = first
        self.quantity, self.flat_fee, self.amount = first.quantity, first.flat_fee, first.amount
        self.units, self.becomes = first.units, first.becomes

    def add(self, step: Step) -> None:
        self.quantity += step.quantity
        self.flat_fee += step.flat_fee
        self.amount += step.amount
        if self.units is not None and step.units is not None:
            self.units += step.units
        if self.becomes is not None and step.becomes is not None:
            self.becomes += step.becomes

    def step(self) -> Step:
        return self.first._replace(
            quantity=self.quantity,
            flat_fee=self.flat_fee,
            amount=self.amount,
            units=self.units,
            becomes=self.becomes,
        )
