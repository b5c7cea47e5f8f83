"""Rounds the lines of an invoice together where their plan asks for it: their exact sum once, and the lines to it."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Protocol

from core import money
from invoicing.pricing.models import PlanVersion
from invoicing.rating.models import RatedLine
from invoicing.rating.rules import allocation
from invoicing.rating.rules.steps import Computation

TOGETHER = PlanVersion.RoundingLevel.INVOICE


class Rated(Protocol):
    """What is rounded, with what its plan says of that."""

    @property
    def rounding_level(self) -> str: ...
    @property
    def currency(self) -> str: ...


class Computed(Rated, Protocol):
    """The same before it is stored."""

    @property
    def computation(self) -> Computation: ...


def round_lines(computed: Sequence[Computed], *, invoices: Sequence[Hashable]) -> Iterator[tuple[int, Decimal]]:
    """The places of those that are rounded together on one of these invoices, each with its amount."""
    return _round(computed, [one.computation.amount_exact for one in computed], invoices)


def round_again(
    lines: Sequence[RatedLine], exact: Sequence[Decimal], *, invoices: Sequence[Hashable | None]
) -> Iterator[tuple[int, Decimal]]:
    """The same for stored lines, by what was computed for them once more; None: rounded as it was stored."""
    return _round(lines, exact, invoices)


def _round(
    lines: Sequence[Rated], exact: Sequence[Decimal], invoices: Sequence[Hashable | None]
) -> Iterator[tuple[int, Decimal]]:
    for places in _groups(lines, invoices):
        scale = money.currency_exponent(lines[places[0]].currency)
        yield from zip(places, allocation.round_together([exact[place] for place in places], scale=scale), strict=True)


def _groups(lines: Sequence[Rated], invoices: Sequence[Hashable | None]) -> Iterable[list[int]]:
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for place, (line, invoice) in enumerate(zip(lines, invoices, strict=True)):
        if line.rounding_level == TOGETHER and invoice is not None:
            groups[invoice].append(place)
    return groups.values()
