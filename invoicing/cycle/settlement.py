"""How issued invoices are paid, as a room above tells it, since nothing here knows of payments.

# in the `ready` of the room above
settlement.register_reader(told.read_settlements)
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from invoicing.cycle.models import Invoice


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What is still due on an issued invoice, and its payments as plain values; a draft has neither."""

    amount_due: Decimal | None = None
    credited: Decimal = Decimal(0)
    set_off: Decimal = Decimal(0)
    payments: list[dict[str, Any]] = field(default_factory=list)


Reader = Callable[[Sequence[Invoice]], Mapping[int, Settlement]]
NONE_YET = Settlement()
_readers: list[Reader] = []


def register_reader(reader: Reader) -> None:
    """Let it tell from now on; done once, when the application starts."""
    if _readers:
        raise ValueError("somebody tells already how invoices are paid")
    _readers.append(reader)


def read(invoices: Sequence[Invoice]) -> Mapping[int, Settlement]:
    """By invoice, for those that were issued."""
    return _readers[0](invoices) if _readers else {}


def read_one(invoice: Invoice) -> Settlement:
    return read([invoice]).get(invoice.pk, NONE_YET)
