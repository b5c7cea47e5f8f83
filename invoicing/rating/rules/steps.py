"""How an amount came about: the steps of a computation, whose amounts add up to it exactly."""

from dataclasses import dataclass
from decimal import Decimal

from core import money


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Some units at one price, with the fee that comes with them."""

    label: str
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal
    flat_fee: Decimal = Decimal(0)
    tier: int | None = None
    floor: Decimal | None = None
    up_to: Decimal | None = None

    def as_json(self) -> dict[str, str | int | None]:
        """Numbers as plain decimal strings; `tier`, `from` and `up_to` only where there are tiers."""
        document: dict[str, str | int | None] = {"label": self.label}
        if self.tier is not None:
            document["tier"] = self.tier
            document["from"] = money.plain(self.floor or Decimal(0))
            document["up_to"] = None if self.up_to is None else money.plain(self.up_to)
        document["quantity"] = money.plain(self.quantity)
        document["unit_price"] = money.plain(self.unit_price)
        document["flat_fee"] = money.plain(self.flat_fee)
        document["amount"] = money.plain(self.amount)
        return document


@dataclass(frozen=True, slots=True)
class Computation:
    """An amount before its one rounding, and the steps that make it."""

    amount_exact: Decimal
    steps: tuple[Step, ...]

    def as_json(self) -> list[dict[str, str | int | None]]:
        return [step.as_json() for step in self.steps]
