"""One figure of a benchmark: what was reached, the limit it is held against, and their ratio."""

from dataclasses import asdict, dataclass
from typing import Any


class BenchError(Exception):
    """What came out is not what went in: the figure would mean nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchRow:
    """`value` and `limit` share a unit and come from the same run; `ratio` is value / limit."""

    name: str
    value: float
    unit: str
    limit: float
    ratio: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
