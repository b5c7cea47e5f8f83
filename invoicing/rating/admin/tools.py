"""What stands below a price version: the version before it side by side, and a place to try it."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from core import money
from core.errors import DomainError
from core.http import parsing
from invoicing.pricing.models import PriceVersion
from invoicing.pricing.rules import differences
from invoicing.rating.rules import preview
from invoicing.rating.rules.preview import Preview

EVENTS_LENGTH_MAX = 6000  # the address of a page holds them


@dataclass(frozen=True, slots=True)
class Trial:
    """What was typed, and what the price makes of it, or why it makes nothing."""

    units: str
    events: str
    found: Preview | None = None
    exact: str = ""
    problem: str = ""


def tools_for(price: PriceVersion, *, request: HttpRequest) -> dict[str, Any]:
    """The context of the page."""
    others = list(price.charge.price_versions.exclude(pk=price.pk).order_by("-effective_at", "-version"))
    beside = _beside(price, others, asked=request.GET.get("with", ""))
    return {
        "price": price,
        "currency": price.charge.plan.currency,
        "others": others,
        "beside": beside,
        "differences": differences.compare(_said(beside), _said(price)),
        "trial": _try(price, units=request.GET.get("units", ""), events=request.GET.get("events", "")),
    }


def _beside(price: PriceVersion, others: list[PriceVersion], *, asked: str) -> PriceVersion | None:
    """The version asked for, else the approved one that holds before it, else the one before by number."""
    chosen = next((each for each in others if str(each.pk) == asked), None)
    before = next((each for each in others if each.counts and each.effective_at <= price.effective_at), None)
    earlier = max(
        (each for each in others if each.version < price.version), key=lambda each: each.version, default=None
    )
    return chosen or before or earlier


def _said(price: PriceVersion | None) -> dict[str, Any]:
    if price is None:
        return {}
    return {
        "model": price.get_model_display(),
        "in force from": f"{price.effective_at:%Y-%m-%d %H:%M} UTC",
        **price.params,
    }


def _try(price: PriceVersion, *, units: str, events: str) -> Trial | None:
    units, events = units.strip(), events.strip()
    if not units and not events:
        return None
    try:
        found = preview.preview_price(
            model=price.model,
            params=price.params,
            currency=price.charge.plan.currency,
            units=units or None,
            events=_read_events(events) if events else None,
            rounding_rule=preview.currency_rounding(price.charge.plan.currency),
        )
    except DomainError as error:
        return Trial(units, events, problem=error.message)
    except ValueError as error:
        return Trial(units, events, problem=f"The events are not JSON: {error}.")
    return Trial(units, events, found=found, exact=money.plain(found.computation.amount_exact))


def _read_events(text: str) -> Any:
    if len(text) > EVENTS_LENGTH_MAX:
        raise preview.PreviewError("Too many events for a page; POST them to rating/preview.", pointer="/events")
    return parsing.read_strict_json(text.encode())
