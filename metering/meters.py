"""Meters: made with their first version, named anew, handed over; what they measure changes by versions."""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import roles
from accounts.roles import Role
from core import audit, history
from core.errors import InvalidInputError, NotAllowedError, NotFoundError
from metering.models import EventContract, EventContractVersion, Meter, MeterVersion
from metering.models.meters import ALWAYS
from metering.rules import measures, personal
from metering.rules.measures import MeterContent, Promise
from metering.rules.reasons import Reason

KEEPERS = frozenset({Role.ENGINEERING, Role.PRODUCT})


class UnmeasurableError(InvalidInputError):
    """What a version says cannot be measured in the events of the meter's contract."""

    code = "not_measurable"

    def __init__(self, flaws: list[Reason]) -> None:
        super().__init__(flaws[0].detail, pointer=flaws[0].pointer)
        self.flaws = flaws

    def problems(self) -> list[dict[str, str]]:
        return [{"pointer": flaw.pointer, "code": flaw.code, "detail": flaw.detail} for flaw in self.flaws]


def create_meter(*, code: str, name: str, unit: str, contract: EventContract, owner: Any, **content: Any) -> Meter:
    """Start to count something in the events of a contract; `content` is that of the meter's first version.

    ValidationError names the fields that cannot be used. Nothing was billed by it yet, so it needs no approval.
    """
    meter = Meter(code=code, name=name, unit=unit, contract=contract, owner=owner)
    meter.full_clean()
    with transaction.atomic():
        lock_contract(contract)
        version = check_first(contract, MeterContent(**content))
        meter.save(force_insert=True)
        version.meter, version.proposed_by, version.decided_by = meter, owner, owner
        version.proposed_at = version.decided_at = meter.created_at
        version.save(force_insert=True)
    return meter


def check_first(contract: EventContract, content: MeterContent) -> MeterVersion:
    """Give the first version of a meter that is to be made, or raise what is wrong with it."""
    require_measurable(contract, content)
    version = MeterVersion(version=1, effective_at=ALWAYS, **content.columns(), status=MeterVersion.Status.APPROVED)
    check_fields(version)
    return version


def lock_contract(contract: EventContract) -> None:
    """As activation does: a version without this property cannot come into force at the same moment."""
    EventContract.objects.select_for_update().get(pk=contract.pk)


def require_measurable(contract: EventContract, content: MeterContent) -> None:
    """Refuse what the version in force does not promise of every event, filters and groups that mean nothing."""
    if flaws := measures.find_flaws(content, promise=promise_of(contract)):
        raise UnmeasurableError(flaws)


def promise_of(contract: EventContract) -> Promise | None:
    """Say what every event of this contract holds now; None where no version is in force."""
    in_force = contract.versions.filter(status=EventContractVersion.Status.ACTIVE).first()
    if in_force is None:
        return None
    declared = {*in_force.billing_fields, *in_force.context_fields, *in_force.schema.get("properties", {})}
    return Promise(in_force.billing_fields, declared - {*personal.marked(in_force.schema)})


def check_fields(version: MeterVersion) -> None:
    """Check the content field by field, and what the fields say together; ValidationError names them."""
    about_it = {"meter", "status", "decided_by", "decided_at", "proposed_by", "proposed_at", "effective_at", "version"}
    version.clean_fields(exclude={*about_it, "filters", "group_by"})
    version.validate_constraints(exclude=about_it)


def get_meter(code: str) -> Meter:
    """Give the meter of this code; NotFoundError where there is none."""
    meter = Meter.objects.select_related("owner", "contract").filter(code=code).first()
    if meter is None:
        raise NotFoundError(f"There is no meter {code}.")
    return meter


def describe_meter(*, meter: Meter, changes: dict[str, str], actor: Any) -> Meter:
    """Change the name of a meter; its definition, and what it measures, change by a version."""
    if strange := changes.keys() - {"name"}:
        raise InvalidInputError(
            f"Only the name is changed in place; propose a version with the new {min(strange)}.",
            pointer=f"/{min(strange)}",
        )
    for name, words in changes.items():
        setattr(meter, name, words)
    meter.clean_fields(exclude={field.name for field in Meter._meta.fields} - set(changes))
    history.save_change(meter, fields=sorted(changes), actor=actor)
    return meter


def hand_over_meter(*, meter: Meter, to: Any, reason: str, actor: Any, at: datetime) -> Meter:
    """Let another person answer for the meter; its owner does that, or a keeper where the owner has left."""
    roles.require_role(actor, *KEEPERS, to="hand over a meter")
    if not roles.has_role(to, KEEPERS):
        raise InvalidInputError(f"{to} is neither of engineering nor of product.", pointer="/owner")
    with transaction.atomic():
        own = Meter.objects.select_for_update(of=("self",)).select_related("owner").get(pk=meter.pk)
        if own.owner_id != actor.pk and own.owner.is_active:
            raise NotAllowedError(f"{own.code} is {own.owner}'s: only its owner hands it over.")
        former, own.owner = own.owner, to
        history.save_change(own, fields=["owner"], actor=actor, reason=reason)
        facts = {"meter": own.code, "from": former.username, "to": to.username, "reason": reason}
        audit.append_entry(action="meter.handed_over", subject=f"meter:{own.pk}", actor=actor, facts=facts, at=at)
    return own
