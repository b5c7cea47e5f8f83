"""What the page of a plan shows: its terms, and every charge with its prices, laid out in time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from invoicing.pricing.models import Charge, Plan, PlanVersion, PriceVersion, Proposal, ProposalStatus
from invoicing.pricing.rules import params as price_params
from invoicing.pricing.rules import timeline, words
from invoicing.pricing.rules.timeline import Dated

Version = TypeVar("Version", bound=Proposal)


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version of a plan's terms, and when it is in force."""

    version: PlanVersion
    until: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class PriceRow:
    """One price version: when it is in force, and what it charges."""

    price: PriceVersion
    until: datetime | None
    state: str
    lines: list[str]


def version_rows(plan: Plan, *, at: datetime) -> list[VersionRow]:
    """The terms of a plan, newest first."""
    versions = list(plan.versions.select_related("created_by", "decided_by"))
    ends = _ends(versions)
    return [VersionRow(each, ends.get(each.pk), _state(each, ends, at=at)) for each in _newest_first(versions)]


def charges_and_prices(plan: Plan, *, at: datetime) -> list[tuple[Charge, list[PriceRow]]]:
    """Each charge of a plan with its prices."""
    people = ("price_versions__created_by", "price_versions__decided_by")
    charges = plan.charges.select_related("meter").prefetch_related(*people)
    return [(charge, price_rows(charge, currency=plan.currency, at=at)) for charge in charges]


def price_rows(charge: Charge, *, currency: str, at: datetime) -> list[PriceRow]:
    """The prices of a charge, newest first."""
    versions = list(charge.price_versions.all())
    ends = _ends(versions)
    return [
        PriceRow(each, ends.get(each.pk), _state(each, ends, at=at), _lines(charge, each, currency=currency))
        for each in _newest_first(versions)
    ]


def _newest_first(versions: Iterable[Version]) -> list[Version]:
    return sorted(versions, key=lambda each: (each.effective_at, each.version), reverse=True)


def _ends(versions: Iterable[Proposal]) -> dict[int, datetime | None]:
    """Until when each approved version is in force; one that another replaces is left out."""
    dated = [Dated(each.pk, each.effective_at, each.version) for each in versions if each.counts]
    return {stretch.key: stretch.end for stretch in timeline.in_force(dated)}


def _state(version: Proposal, ends: dict[int, datetime | None], *, at: datetime) -> str:
    if not version.counts:
        return ProposalStatus(version.status).label.lower()
    if version.pk not in ends:
        return "replaced"
    end = ends[version.pk]
    if version.effective_at > at:
        return "ahead"
    return "in force" if end is None or end > at else "past"


def _lines(charge: Charge, price: PriceVersion, *, currency: str) -> list[str]:
    parsed = price_params.parse_stored_params(model=price.model, params=price.params)
    return words.price_in_words(parsed, currency=currency, unit=charge.meter.unit if charge.meter else "")
