"""Prices and properties that say something about a person: what is sealed has no price, so one keeps out the other.

A price that looks for a value would no longer find it once the contract marks the property, nor when it is rated again.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.urls import reverse

from core import activation
from core.activation import Refusal
from invoicing.pricing.models import PriceVersion, ProposalStatus
from invoicing.rating import price_table
from metering.models import EventContractVersion
from metering.rules import personal


def register() -> None:
    """Once, when the application starts."""
    activation.register_guard(of=EventContractVersion, guard=refuse_priced)
    activation.register_guard(of=PriceVersion, guard=refuse_sealed)


def refuse_priced(version: EventContractVersion, /, *, at: datetime) -> Sequence[Refusal]:  # noqa: ARG001  asked of all
    """Prices, also those of before, that look at what this version marks as personal."""
    marked = set(personal.marked(version.schema))
    if not marked:
        return []
    prices = PriceVersion.objects.filter(
        charge__meter__contract=version.contract_id, status=ProposalStatus.APPROVED
    ).select_related("charge__plan")
    return [_refusal(price, names) for price in prices if (names := marked & read_by([price]))]


def refuse_sealed(price: PriceVersion, /, *, at: datetime) -> Sequence[Refusal]:  # noqa: ARG001  as above
    """Properties that this price looks at and that the contract in force marks as personal."""
    meter = price.charge.meter
    in_force = meter and meter.contract.versions.filter(status=EventContractVersion.Status.ACTIVE).first()
    names = set(personal.marked(in_force.schema)) & read_by([price]) if in_force else set()
    return [_refusal(price, names)] if names else []


def read_by(prices: Iterable[PriceVersion]) -> set[str]:
    """The properties of events that these prices look at."""
    found = [price.breakdown for price in price_table.read_prices([one.pk for one in prices]).values()]
    named = [(*one.properties, one.amount_property) for one in found if one is not None]
    return {name for names in named for name in names if name}


def _refusal(price: PriceVersion, names: Iterable[str]) -> Refusal:
    shown = f"{', '.join(sorted(names))}, which is personal and sealed"
    return Refusal(
        code="price_reads_personal",
        sentence=f"Version {price.version} of the price of {price.charge} looks at {shown}.",
        remedy="Send what is priced in a property of another name, and mark only what is personal.",
        link=reverse("admin:pricing_plan_change", args=[price.charge.plan_id]),
    )
