"""What a policy asks for before an invoice is issued: a second person, a look at what is unusual, kept evidence."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from core import money
from invoicing.policy.rules import reading
from invoicing.pricing.rules.fields import Fields

ALWAYS_KEPT = ("approval", "computation", "snapshots", "tie_out")
EVIDENCE = (*ALWAYS_KEPT, "raw_events")
TIMES_MAX = Decimal(1000)
PERIODS_MAX = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Above which amount of an invoice, by currency, two people in finance have to approve; nowhere where silent."""

    second_person_above: Mapping[str, Decimal] = field(default_factory=dict)

    def write(self) -> dict[str, Any]:
        return {"second_person_above": reading.plain_amounts(self.second_person_above)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewBounds:
    """How far from the customer's own past a line or an invoice may lie before a person looks at it.

    Compared are up to `past_periods` final invoices of the subscription. More than `line_times` or `invoice_times` the
    largest of them, or less than that part of the smallest, is far; differences of less than `least` in that currency
    are not worth a look.
    """

    is_active: bool = True
    past_periods: int = 3
    line_times: Decimal = Decimal(5)
    invoice_times: Decimal = Decimal(3)
    least: Mapping[str, Decimal] = field(default_factory=dict)

    def write(self) -> dict[str, Any]:
        return {
            "active": self.is_active,
            "invoice_times": money.plain(self.invoice_times),
            "least": reading.plain_amounts(self.least),
            "line_times": money.plain(self.line_times),
            "past_periods": self.past_periods,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What has to stand behind an invoice when it is issued."""

    keep: tuple[str, ...] = ALWAYS_KEPT

    def write(self) -> dict[str, Any]:
        return {"keep": list(self.keep)}


def read_approval(fields: Fields) -> Approval:
    inner = reading.optional(fields, "approval")
    approval = Approval(second_person_above=reading.amounts(inner, "second_person_above"))
    inner.refuse_unknown()
    return approval


def read_review_bounds(fields: Fields) -> ReviewBounds:
    """The object `review_bounds`; on, with the defaults, where it is silent."""
    inner = reading.optional(fields, "review_bounds")
    usual = ReviewBounds()
    bounds = ReviewBounds(
        is_active=inner.flag("active", default=usual.is_active),
        past_periods=inner.whole("past_periods", least=1, most=PERIODS_MAX, default=usual.past_periods),
        line_times=_times(inner, "line_times", default=usual.line_times),
        invoice_times=_times(inner, "invoice_times", default=usual.invoice_times),
        least=reading.amounts(inner, "least"),
    )
    inner.refuse_unknown()
    return bounds


def read_evidence(fields: Fields) -> Evidence:
    """The object `evidence`; what every invoice has anyway, where it is silent."""
    inner = reading.optional(fields, "evidence")
    named = reading.codes(inner, "keep", options=EVIDENCE)
    inner.refuse_unknown()
    return Evidence(keep=tuple(sorted({*ALWAYS_KEPT, *named})))


def _times(fields: Fields, name: str, *, default: Decimal) -> Decimal:
    before = len(fields.problems)
    times = fields.quantity(name, default=default)
    if not 1 < times <= TIMES_MAX and len(fields.problems) == before:
        fields.report(name, "out_of_range", f"Must be more than 1 and at most {TIMES_MAX}.")
    return times
