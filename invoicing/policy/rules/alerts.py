"""What a policy wants to be told about: never an invoice, never a hold."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from core import money
from invoicing.policy.rules import reading
from invoicing.pricing.rules.fields import Fields

ALERTS_MAX = 50
CHANNELS = ("email", "slack", "webhook")
AUDIENCES = ("ops", "customer_success")
INCLUDED = "included"
PERCENT_MAX = Decimal(10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Who is told, and by which ways."""

    to: str
    channels: tuple[str, ...]

    def write(self) -> dict[str, Any]:
        return {"to": self.to, "channels": list(self.channels)}


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageNearLimit:
    """A customer's usage of a meter in its running period has reached a percentage of a limit.

    Without a stated `limit` it is what is included in the customer's price; where nothing is, there is no limit.
    """

    kind: ClassVar[str] = "usage_near_limit"
    meter: str
    limit: Decimal | None
    percent: Decimal
    notify: Notice

    def write(self) -> dict[str, Any]:
        limit = INCLUDED if self.limit is None else money.plain(self.limit)
        figures = {"limit": limit, "percent": money.plain(self.percent)}
        return {"kind": self.kind, "meter": self.meter, **figures, "notify": self.notify.write()}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExposureGrowth:
    """What a customer is projected to owe at the end of its period is that percentage above the period before.

    Projections below `amount` are not worth a word, nor are those from before `elapsed_percent` of the period is over.
    """

    kind: ClassVar[str] = "exposure_growth"
    currency: str
    amount: Decimal
    percent: Decimal
    elapsed_percent: Decimal
    notify: Notice

    def write(self) -> dict[str, Any]:
        line = {"currency": self.currency, "amount": money.amount_text(self.amount, currency=self.currency)}
        percents = {"percent": money.plain(self.percent), "elapsed_percent": money.plain(self.elapsed_percent)}
        return {"kind": self.kind, **line, **percents, "notify": self.notify.write()}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramCost:
    """What a fee program is projected to cost by the end of the month has crossed an amount."""

    kind: ClassVar[str] = "program_cost"
    fee_program: str
    currency: str
    amount: Decimal
    notify: Notice

    def write(self) -> dict[str, Any]:
        line = {"currency": self.currency, "amount": money.amount_text(self.amount, currency=self.currency)}
        return {"kind": self.kind, "fee_program": self.fee_program, **line, "notify": self.notify.write()}


Alert = UsageNearLimit | ExposureGrowth | ProgramCost
KINDS = (UsageNearLimit.kind, ExposureGrowth.kind, ProgramCost.kind)


def read_alerts(fields: Fields) -> tuple[Alert, ...]:
    """The list `alerts`; none where it is absent."""
    if not reading.is_listed(fields, "alerts"):
        return ()
    return tuple(alert for alert in fields.items("alerts", count_max=ALERTS_MAX, read=_read_alert) if alert)


def _read_alert(fields: Fields) -> Alert | None:
    kind = fields.take("kind")
    if kind not in KINDS:
        fields.report("kind", "required" if kind is None else "choice", f"Must be one of: {', '.join(KINDS)}.")
        fields.known |= set(fields.document)  # what belongs to an unknown kind is unknown as well
        return None
    notify = _read_notice(fields)
    if kind == UsageNearLimit.kind:
        limit = None if fields.take("limit") == INCLUDED else fields.size("limit")
        return UsageNearLimit(meter=fields.text("meter"), limit=limit, percent=_percent(fields), notify=notify)
    currency = reading.currency(fields)
    amount = reading.amount(fields, currency=currency)
    if kind == ExposureGrowth.kind:
        elapsed = fields.discount("elapsed_percent", default=Decimal(0))
        return ExposureGrowth(
            currency=currency, amount=amount, percent=_percent(fields), elapsed_percent=elapsed, notify=notify
        )
    return ProgramCost(fee_program=fields.text("fee_program"), currency=currency, amount=amount, notify=notify)


def _percent(fields: Fields) -> Decimal:
    before = len(fields.problems)
    percent = fields.quantity("percent")
    if not 0 < percent <= PERCENT_MAX and len(fields.problems) == before:
        fields.report("percent", "out_of_range", f"Must be more than 0 and at most {PERCENT_MAX}.")
    return percent


def _read_notice(fields: Fields) -> Notice:
    inner = reading.optional(fields, "notify")
    to = inner.choice("to", options=AUDIENCES)
    channels = reading.codes(inner, "channels", options=CHANNELS) or ("email",)
    inner.refuse_unknown()
    return Notice(to=to, channels=channels)
