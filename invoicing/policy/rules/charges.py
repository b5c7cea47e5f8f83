"""What a policy does about credit exposure: it may slow or bill usage, and never touches an invoice that stands."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from core import money
from invoicing.policy.rules import reading
from invoicing.pricing.rules.fields import Fields

CONTROLS_MAX = 50
LIMITS_FROM = ("policy", "customer")
LIFTS = ("automatic", "by_person")
ACTIONS = ("hold_usage", "require_review", "interim_bill")


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditExposure:
    """Once unbilled rated usage and unpaid invoices together reach the amount, the action is taken.

    With `limit_from` customer, a credit limit that was agreed with the customer stands in place of the amount. A hold
    is lifted by itself once the exposure is below `lift_percent` of its line, or stays until a person lifts it.
    """

    kind: ClassVar[str] = "credit_exposure"
    currency: str
    amount: Decimal
    action: str
    limit_from: str
    lift: str
    lift_percent: Decimal

    def write(self) -> dict[str, Any]:
        line = {"currency": self.currency, "amount": money.amount_text(self.amount, currency=self.currency)}
        lift = {"lift": self.lift, "lift_percent": money.plain(self.lift_percent)}
        return {"kind": self.kind, **line, "action": self.action, "limit_from": self.limit_from, **lift}


ChargeControl = CreditExposure
KINDS = (CreditExposure.kind,)


def read_charge_controls(fields: Fields) -> tuple[ChargeControl, ...]:
    """The list `charge_controls`; none where it is absent."""
    if not reading.is_listed(fields, "charge_controls"):
        return ()
    found = fields.items("charge_controls", count_max=CONTROLS_MAX, read=_read_control)
    seen: set[tuple[str, str]] = set()
    for index, control in enumerate(found):
        if (control.currency, control.action) in seen:
            detail = f"The action {control.action} has an amount in {control.currency} already."
            fields.report_at(f"charge_controls/{index}", "duplicate", detail)
        seen.add((control.currency, control.action))
    return found


def _read_control(fields: Fields) -> ChargeControl:
    kind = fields.take("kind")
    if kind not in KINDS:
        fields.report("kind", "required" if kind is None else "choice", f"Must be one of: {', '.join(KINDS)}.")
    currency = reading.currency(fields)
    amount = reading.amount(fields, currency=currency)
    action = fields.take("action")
    if action not in ACTIONS:
        fields.report("action", "required" if action is None else "choice", f"Must be one of: {', '.join(ACTIONS)}.")
    return CreditExposure(
        currency=currency,
        amount=amount,
        action=str(action),
        limit_from=fields.choice("limit_from", options=LIMITS_FROM),
        lift=fields.choice("lift", options=LIFTS),
        lift_percent=_lift_percent(fields),
    )


def _lift_percent(fields: Fields) -> Decimal:
    percent = fields.discount("lift_percent", default=Decimal(100))
    if not percent:
        fields.report("lift_percent", "out_of_range", "Must be more than 0.")
    return percent
