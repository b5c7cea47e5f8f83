"""What the page of a plan shows: every charge with its prices laid out in time."""

from dataclasses import dataclass
from datetime import datetime

from invoicing.pricing.models import Charge, Plan, PriceVersion
from invoicing.pricing.rules import params as price_params
from invoicing.pricing.rules import timeline, words
from invoicing.pricing.rules.timeline import Dated


@dataclass(frozen=True, slots=True)
class PriceRow:
    """One price version: when it is in force, and what it charges."""

    price: PriceVersion
    until: datetime | None
    state: str
    lines: list[str]


def charges_and_prices(plan: Plan, *, at: datetime) -> list[tuple[Charge, list[PriceRow]]]:
    """Each charge of a plan with its prices."""
    charges = plan.charges.select_related("meter").prefetch_related("price_versions__created_by")
    return [(charge, price_rows(charge, currency=plan.currency, at=at)) for charge in charges]


def price_rows(charge: Charge, *, currency: str, at: datetime) -> list[PriceRow]:
    """The prices of a charge, newest first."""
    versions = list(charge.price_versions.all())
    laid_out = timeline.in_force([Dated(each.pk, each.effective_at, each.version) for each in versions])
    ends = {stretch.key: stretch.end for stretch in laid_out}
    return [
        PriceRow(each, ends.get(each.pk), _state(each, ends, at=at), _lines(charge, each, currency=currency))
        for each in sorted(versions, key=lambda each: (each.effective_at, each.version), reverse=True)
    ]


def _state(price: PriceVersion, ends: dict[int, datetime | None], *, at: datetime) -> str:
    if price.pk not in ends:
        return "replaced"
    end = ends[price.pk]
    if price.effective_at > at:
        return "ahead"
    return "in force" if end is None or end > at else "past"


def _lines(charge: Charge, price: PriceVersion, *, currency: str) -> list[str]:
    parsed = price_params.parse_stored_params(model=price.model, params=price.params)
    return words.price_in_words(parsed, currency=currency, unit=charge.meter.unit if charge.meter else "")
