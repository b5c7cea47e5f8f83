"""How the agreements of a program's customers may be made: what a part of a period costs, how long old prices last."""

from dataclasses import dataclass
from typing import Any

from invoicing.policy.rules import reading
from invoicing.pricing.rules.fields import Fields

AS_AGREED = "as_agreed"
UNITS = (AS_AGREED, "second", "day", "day30")
DAYS_MAX = 3660


@dataclass(frozen=True, slots=True, kw_only=True)
class Conventions:
    """In which unit plans charge a part of a period, and for how many days at most a subscription keeps older prices.

    Zero days: none is kept. None: as long as was agreed.
    """

    proration: str = AS_AGREED
    kept_days_max: int | None = None

    def write(self) -> dict[str, Any]:
        return {"grandfathering": {"kept_days_max": self.kept_days_max}, "proration": self.proration}


def read_conventions(fields: Fields) -> Conventions:
    """The object `conventions`; as each plan and subscription agreed, where it is silent."""
    inner = reading.optional(fields, "conventions")
    proration = inner.choice("proration", options=UNITS)
    kept = reading.optional(inner, "grandfathering")
    days = None
    if kept.take("kept_days_max") is not None:
        days = kept.whole("kept_days_max", least=0, most=DAYS_MAX)
    kept.refuse_unknown()
    inner.refuse_unknown()
    return Conventions(proration=proration, kept_days_max=days)
