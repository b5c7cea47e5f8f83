"""Whether usage without an invoice has reached the amount at which a policy wants one."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from core import money, rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeSoFar:
    """One charge of a running period: what its usage costs by now, and did when an interim draft last had it."""

    charge: str
    quantity: Decimal
    amount: Decimal
    before: Decimal

    def as_json(self) -> dict[str, str]:
        return {
            "charge": self.charge,
            "quantity": money.plain(self.quantity),
            "amount": money.plain(self.amount),
            "before": money.plain(self.before),
        }


def unbilled(charges: Iterable[ChargeSoFar]) -> Decimal:
    """What was used since the last interim draft of each charge, whether that was issued or discarded.

    So one crossing is answered once: after it the amount has to come together again.
    """
    with rounding.exactly():
        return sum((one.amount - one.before for one in charges), Decimal(0))
