"""What rating is measured on: one price, what it is tried on, and the same arithmetic without anything around it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from invoicing.rating.rules.steps import Computation


@dataclass(frozen=True, slots=True)
class Subject:
    """`compute` and `bare` take one of the `inputs`; each of these is made of `size` events, buckets or lines."""

    name: str
    compute: Callable[[Any], Computation]
    inputs: Sequence[Any]
    bare: Callable[[Any], Decimal]
    size: int = 1
