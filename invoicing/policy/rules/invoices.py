"""When a policy wants an invoice: at the end of the period, off the cycle, or both; a draft, never a hold."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from core import money
from invoicing.policy.rules import reading
from invoicing.pricing.rules.fields import Fields

MODELS = ("cycle", "threshold", "hybrid")
CORRECTIONS = ("next_invoice", "at_once")
GRACE_HOURS_MAX = Decimal(24 * 31)
TRIGGERS_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class LateUsage:
    """How long after its end a period waits for usage that is on its way, and how later usage is billed."""

    correction: str
    grace_hours: Decimal

    def write(self) -> dict[str, Any]:
        return {"correction": self.correction, "grace_hours": money.plain(self.grace_hours)}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnbilledAmount:
    """What a subscription used in its running period and no invoice has billed has reached an amount."""

    kind: ClassVar[str] = "unbilled_amount"
    currency: str
    amount: Decimal

    def write(self) -> dict[str, Any]:
        amount = money.amount_text(self.amount, currency=self.currency)
        return {"kind": self.kind, "currency": self.currency, "amount": amount}


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligible:
    """Who may be invoiced off the cycle, by code: accounts, plans, product lines; a list without names takes all."""

    customers: tuple[str, ...] = ()
    plans: tuple[str, ...] = ()
    meters: tuple[str, ...] = ()

    def takes_customer(self, customer: str) -> bool:
        """Whether this account may be invoiced off the cycle."""
        return not self.customers or customer in self.customers

    def takes_plan(self, plan: str) -> bool:
        """Whether usage under this plan may be."""
        return not self.plans or plan in self.plans

    def takes_meter(self, meter: str) -> bool:
        """Whether usage of this product line may be."""
        return not self.meters or meter in self.meters

    def write(self) -> dict[str, Any]:
        return {"customers": list(self.customers), "meters": list(self.meters), "plans": list(self.plans)}


EVERYBODY = Eligible()


@dataclass(frozen=True, slots=True, kw_only=True)
class OffCycle:
    """Who may be invoiced while the period runs, and upon what."""

    eligible: Eligible
    triggers: tuple[UnbilledAmount, ...]

    def write(self) -> dict[str, Any]:
        return {"eligible": self.eligible.write(), "triggers": [one.write() for one in self.triggers]}


NEVER = OffCycle(eligible=EVERYBODY, triggers=())


def read_cadence(fields: Fields) -> str:
    """The model of `cadence`; the normal cycle where it is absent."""
    inner = reading.optional(fields, "cadence")
    model = inner.choice("model", options=MODELS)
    inner.refuse_unknown()
    return model


def read_late_usage(fields: Fields) -> LateUsage:
    """The object `late_usage`; no grace, and the next invoice, where it is silent."""
    inner = reading.optional(fields, "late_usage")
    grace = inner.quantity("grace_hours", default=Decimal(0))
    if grace > GRACE_HOURS_MAX:
        inner.report("grace_hours", "out_of_range", f"At most {GRACE_HOURS_MAX} hours, a month.")
    late = LateUsage(correction=inner.choice("correction", options=CORRECTIONS), grace_hours=grace)
    inner.refuse_unknown()
    return late


def read_off_cycle(fields: Fields) -> OffCycle:
    """The object `off_cycle`; nobody is invoiced off the cycle where it is silent."""
    inner = reading.optional(fields, "off_cycle")
    eligible = _read_eligible(inner)
    listed = reading.is_listed(inner, "triggers")
    triggers = inner.items("triggers", count_max=TRIGGERS_MAX, read=_read_trigger) if listed else ()
    seen: set[str] = set()
    for index, trigger in enumerate(triggers):
        if trigger.currency in seen:
            inner.report_at(f"triggers/{index}", "duplicate", f"There is an amount in {trigger.currency} already.")
        seen.add(trigger.currency)
    inner.refuse_unknown()
    return OffCycle(eligible=eligible, triggers=triggers)


def _read_eligible(fields: Fields) -> Eligible:
    inner = reading.optional(fields, "eligible")
    found = Eligible(
        customers=reading.codes(inner, "customers"),
        plans=reading.codes(inner, "plans"),
        meters=reading.codes(inner, "meters"),
    )
    inner.refuse_unknown()
    return found


def _read_trigger(fields: Fields) -> UnbilledAmount:
    kind = fields.take("kind")
    if kind != UnbilledAmount.kind:
        fields.report("kind", "required" if kind is None else "choice", f"Must be {UnbilledAmount.kind}.")
    currency = reading.currency(fields)
    return UnbilledAmount(currency=currency, amount=reading.amount(fields, currency=currency))
