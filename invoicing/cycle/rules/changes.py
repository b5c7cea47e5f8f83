"""What changed between two sets of figures, such as two periods or two drafts of one: plain values in and out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from core import rounding

NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What is billed under one key: all lines of a charge together, corrections apart."""

    key: str
    label: str
    unit: str
    quantity: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One key on both sides; a side that does not have it counts as nothing."""

    label: str
    unit: str
    before: Figure | None
    after: Figure | None

    @property
    def quantity(self) -> Decimal:
        return _quantity(self.after) - _quantity(self.before)

    @property
    def amount(self) -> Decimal:
        return _amount(self.after) - _amount(self.before)

    @property
    def percent(self) -> Decimal | None:
        return percent_of_change(before=_amount(self.before), after=_amount(self.after))

    @property
    def is_change(self) -> bool:
        return bool(self.quantity or self.amount)


def compare(before: Iterable[Figure], after: Iterable[Figure]) -> list[Change]:
    """Every key of either side, in the order of the later side, what fell away last; equal keys are added up."""
    was, now = _by_key(before), _by_key(after)
    changes = []
    for key in [*now, *(key for key in was if key not in now)]:
        known = now.get(key) or was[key]
        changes.append(Change(label=known.label, unit=known.unit, before=was.get(key), after=now.get(key)))
    return changes


def percent_of_change(*, before: Decimal, after: Decimal) -> Decimal | None:
    """The change as a percentage of what was, to a tenth, half up; None where there was nothing to compare with."""
    if not before:
        return None
    return rounding.divide(100 * (after - before), abs(before), scale=1)


def _by_key(figures: Iterable[Figure]) -> Mapping[str, Figure]:
    summed: dict[str, Figure] = {}
    for one in figures:
        known = summed.get(one.key)
        summed[one.key] = one if known is None else _add(known, one)
    return summed


def _add(one: Figure, other: Figure) -> Figure:
    quantity, amount = one.quantity + other.quantity, one.amount + other.amount
    return Figure(key=one.key, label=one.label, unit=one.unit, quantity=quantity, amount=amount)


def _quantity(figure: Figure | None) -> Decimal:
    return NOTHING if figure is None else figure.quantity


def _amount(figure: Figure | None) -> Decimal:
    return NOTHING if figure is None else figure.amount
