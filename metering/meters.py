"""Meters: what is counted never changes; how it is described may."""

from typing import Any

from django.db import transaction

from core import history
from core.errors import InvalidInputError
from metering.models import EventContract, EventContractVersion, Meter


def create_meter(
    *,
    code: str,
    name: str,
    definition: str,
    exclusions: str,
    unit: str,
    contract: EventContract,
    aggregation: str,
    value_property: str,
    owner: Any,
) -> Meter:
    """Start to count something in the events of a contract; ValidationError names the fields that cannot be used."""
    meter = Meter(
        code=code,
        name=name,
        definition=definition,
        exclusions=exclusions,
        unit=unit,
        contract=contract,
        aggregation=aggregation,
        value_property=value_property,
        owner=owner,
    )
    meter.full_clean()
    with transaction.atomic():
        # As activation does: a version without this property cannot come into force at the same moment.
        EventContract.objects.select_for_update().get(pk=contract.pk)
        require_promised_value(contract, value_property)
        meter.save(force_insert=True)
    return meter


def require_promised_value(contract: EventContract, value_property: str) -> None:
    """Refuse a meter whose value the version in force does not require of every event."""
    in_force = contract.versions.filter(status=EventContractVersion.Status.ACTIVE).first()
    if in_force is not None and value_property and value_property not in in_force.billing_fields:
        promised = ", ".join(in_force.billing_fields) or "nothing"
        raise InvalidInputError(
            f"{in_force} requires {promised} for billing, and a meter may read only that. Put a version in force first "
            f"whose billing_fields name {value_property!a}.",
            pointer="/value_property",
        )


def describe_meter(*, meter: Meter, changes: dict[str, str], actor: Any) -> Meter:
    """Change the words about a meter (name, definition, exclusions, unit), never what it measures."""
    for name, words in changes.items():
        setattr(meter, name, words)
    meter.clean_fields(exclude={field.name for field in Meter._meta.fields} - set(changes))
    history.save_change(meter, fields=sorted(changes), actor=actor)
    return meter
