"""Parameters of prices that look at what events are worth: percentages and amounts that events carry."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core import money
from invoicing.pricing.rules.fields import Fields
from invoicing.pricing.rules.modifiers import Modified

FREE_EVENTS_MAX = 10**9
MAJOR, MINOR = "event amount", "event amount in minor units"
PROPERTIES = {MAJOR: "amount", MINOR: "amount_minor"}  # where the amount stands, unless a price says another


@dataclass(frozen=True, slots=True)
class PercentageParams(Modified):
    """A share of what events are worth, with a fixed fee for each that is charged.

    The free part ends at the first of free events and free amount; 0 of either says nothing (Lago). Least and most of a
    transaction hold for rate and fixed fee together.
    """

    rate_percent: Decimal
    fixed_amount_per_event: Decimal = Decimal(0)
    free_events: int | None = None
    free_total_amount: Decimal | None = None
    per_transaction_min: Decimal | None = None
    per_transaction_max: Decimal | None = None

    @property
    def has_free_part(self) -> bool:
        """Whether the first events are free, so that their order matters."""
        return self.free_events is not None or self.free_total_amount is not None

    @property
    def looks_at_events(self) -> bool:
        """Whether the total and the number of events are not enough."""
        return self.has_free_part or self.has_limits

    @property
    def has_limits(self) -> bool:
        """Whether each event is priced by itself."""
        return self.per_transaction_min is not None or self.per_transaction_max is not None

    def as_json(self) -> dict[str, Any]:
        written: dict[str, Any] = {
            "rate_percent": money.plain(self.rate_percent),
            "fixed_amount_per_event": money.plain(self.fixed_amount_per_event),
        }
        if self.free_events is not None:
            written["free_events"] = self.free_events
        for name in ("free_total_amount", "per_transaction_min", "per_transaction_max"):
            value = getattr(self, name)
            if value is not None:
                written[name] = money.plain(value)
        return written


@dataclass(frozen=True, slots=True)
class DynamicParams(Modified):
    """The amounts that events carry, or else the measured quantity itself, times a multiplier."""

    multiplier: Decimal = Decimal(1)
    price_from: str | None = None
    amount_property: str | None = None

    def as_json(self) -> dict[str, Any]:
        written: dict[str, Any] = {"multiplier": money.plain(self.multiplier)}
        if self.price_from is not None:
            written["price_from"] = self.price_from
        if self.amount_property is not None:
            written["amount_property"] = self.amount_property
        return written


def read_percentage(fields: Fields) -> PercentageParams:
    least, most = fields.price_or_none("per_transaction_min"), fields.price_or_none("per_transaction_max")
    if least is not None and most is not None and least > most:
        fields.report("per_transaction_max", "order", f"Must be at least the minimum ({money.plain(least)}).")
    return PercentageParams(
        rate_percent=fields.rate("rate_percent"),
        fixed_amount_per_event=fields.price("fixed_amount_per_event", default=Decimal(0)),
        free_events=fields.whole("free_events", least=0, most=FREE_EVENTS_MAX, default=0) or None,
        free_total_amount=fields.price("free_total_amount", default=Decimal(0)) or None,
        per_transaction_min=least,
        per_transaction_max=most,
    )


def read_dynamic(fields: Fields) -> DynamicParams:
    source = None if fields.take("price_from") is None else fields.choice("price_from", options=tuple(PROPERTIES))
    carried = PROPERTIES[source] if source is not None else None
    if fields.take("amount_property") is not None:
        carried = fields.text("amount_property")
        if source is None:
            fields.report("price_from", "required", f"Say whether the property is an {MAJOR!r} or an {MINOR!r}.")
    return DynamicParams(fields.factor("multiplier", default=Decimal(1)), source, carried)
