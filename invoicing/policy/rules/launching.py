"""What a policy asks for before a program is live, and before its prices change much."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core import money
from invoicing.policy.rules import reading
from invoicing.pricing.rules.fields import Fields

PERCENT_MAX = Decimal(1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """Whether invoices are issued only once the program was declared live, and which price changes are major.

    A change is major where it would have made the last closed period of any customer of the program more than
    `major_change_percent` dearer or cheaper. None: no change is.
    """

    is_required: bool = False
    major_change_percent: Decimal | None = None

    def write(self) -> dict[str, Any]:
        percent = self.major_change_percent
        return {"major_change_percent": None if percent is None else money.plain(percent), "required": self.is_required}


def read_launch(fields: Fields) -> Launch:
    """The object `launch`; nothing is asked where it is silent."""
    inner = reading.optional(fields, "launch")
    before = len(inner.problems)
    launch = Launch(
        is_required=inner.flag("required", default=False),
        major_change_percent=inner.quantity_or_none("major_change_percent"),
    )
    inner.refuse_unknown()
    percent = launch.major_change_percent
    if len(inner.problems) > before or percent is None:
        return launch
    if not 0 < percent <= PERCENT_MAX:
        detail = f"Must be more than 0 and at most {PERCENT_MAX}."
        inner.report("major_change_percent", "out_of_range", detail)
    elif not launch.is_required:
        detail = "A change is held against the launch checklist only where a launch is required."
        inner.report("major_change_percent", "contradiction", detail)
    return launch
