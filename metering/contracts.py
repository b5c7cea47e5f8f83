"""Event contracts: versions are drafted, proved by their examples, and then put in force."""

from datetime import datetime
from typing import Any

from django.db import transaction

from core import activation, audit, history, locks
from core.errors import DomainError, InvalidInputError, NotFoundError
from metering import in_force, late_sealing
from metering.models import EventContract, EventContractVersion, MeterVersion
from metering.rules import drafting
from metering.rules.drafting import ContractDraft, MeterReads
from metering.rules.reasons import Reason

Status = EventContractVersion.Status


class NotProvedError(DomainError):
    """The examples, or the meters that read these events, do not agree with the version."""

    code = "not_proved"
    http_status = 422

    def __init__(self, flaws: list[Reason]) -> None:
        super().__init__("The version cannot be put in force; see errors.")
        self.flaws = flaws

    def problems(self) -> list[dict[str, str]]:
        return [flaw.as_json() for flaw in self.flaws]


class AlreadyExistsError(DomainError):
    """A contract for this type is there already."""

    code = "already_exists"


class NotADraftError(DomainError):
    """A version is put in force once; to go back, draft the old content as a new version."""

    code = "not_a_draft"


def open_contract(
    *,
    event_type: str,
    description: str,
    actor: Any,
    at: datetime,
    draft: ContractDraft | None = None,
    is_activated: bool = False,
) -> EventContract:
    """Open a contract for a type of event, with its first version if there is a draft; all of it or nothing.

    It accepts nothing until one of its versions is in force.
    """
    if is_activated and draft is None:
        raise InvalidInputError("There is nothing to put in force without a schema.", pointer="/schema")
    with transaction.atomic():
        contract = _create_contract(event_type, description, actor)
        if draft is not None:
            draft_version(contract=contract, draft=draft, is_activated=is_activated, actor=actor, at=at)
    return contract


def _create_contract(event_type: str, description: str, owner: Any) -> EventContract:
    if EventContract.objects.filter(event_type=event_type).exists():
        raise AlreadyExistsError(f"There is a contract for {event_type} already; add a version to it.")
    contract = EventContract(event_type=event_type, description=description, owner=owner)
    contract.full_clean()
    contract.save(force_insert=True)
    return contract


def describe_contract(*, contract: EventContract, description: str, actor: Any) -> None:
    """Change the words about a contract."""
    contract.description = description
    history.save_change(contract, fields=["description"], actor=actor)


def draft_version(
    *,
    contract: EventContract,
    draft: ContractDraft,
    actor: Any,
    at: datetime,
    is_activated: bool = False,
) -> EventContractVersion:
    """Add the next version, as a draft or at once in force; a draft that could never be proved is refused."""
    if flaws := drafting.find_unusable(draft):
        raise NotProvedError(flaws)
    with transaction.atomic():
        EventContract.objects.select_for_update().get(pk=contract.pk)
        latest = contract.versions.order_by("-version").values_list("version", flat=True).first() or 0
        content = {name: getattr(draft, name) for name in drafting.CONTENT}
        version = EventContractVersion.objects.create(
            contract=contract, version=latest + 1, created_by=actor, created_at=at, **content
        )
        return activate_version(version_id=version.pk, actor=actor, at=at) if is_activated else version


def get_contract(event_type: str) -> EventContract:
    """Give the contract of this type; NotFoundError where there is none."""
    contract = EventContract.objects.filter(event_type=event_type).first()
    if contract is None:
        raise NotFoundError(f"There is no contract for {event_type}.")
    return contract


def get_version(event_type: str, version: int) -> EventContractVersion:
    """Give one version of the contract of this type; NotFoundError where there is none."""
    found = get_contract(event_type).versions.filter(version=version).first()
    if found is None:
        raise NotFoundError(f"The contract for {event_type} has no version {version}.")
    return found


def activate_version(*, version_id: int, actor: Any, at: datetime) -> EventContractVersion:
    """Prove the version by its examples and put it in force; the one before it retires in the same moment."""
    with transaction.atomic():
        version = _lock_version(version_id)
        locks.lock_shared(locks.LockClass.ARCHIVE)  # no month goes into a file once none was found to lie in one
        if version.status != Status.DRAFT:
            raise NotADraftError(f"{version} is {version.get_status_display().lower()}; draft a new version.")
        if flaws := find_activation_flaws(version, at=at):
            raise NotProvedError(flaws)
        activation.require_unopposed(version, at=at)
        marked = late_sealing.marked_anew(version)
        for former in version.contract.versions.filter(status=Status.ACTIVE):
            former.status = Status.RETIRED
            history.save_change(former, fields=["status"], actor=actor, reason=f"replaced by version {version.version}")
        version.status, version.activated_by, version.activated_at = Status.ACTIVE, actor, at
        history.save_change(version, fields=["status", "activated_by", "activated_at"], actor=actor)
        if marked:
            late_sealing.start(version, names=marked, at=at)
        facts = {"type": version.contract.event_type, "version": version.version}
        audit.append_entry(
            action="contract.activated", subject=f"contract:{version_id}", actor=actor, facts=facts, at=at
        )
    return version


def find_activation_flaws(version: EventContractVersion, *, at: datetime) -> list[Reason]:
    """Say what stands in the way: meters that would lose their value, and examples that prove nothing."""
    draft = draft_of(version)
    measures = _measures_of(version.contract, at=at)
    readings = [measure.as_reading() for measure in measures]
    reads = [
        MeterReads(
            meter=measure.meter.code,
            required=[name for name in (reading.value_property, reading.operation_property) if name],
            declared=[*(one.name for one in reading.filters), *reading.group_by],
        )
        for measure, reading in zip(measures, readings, strict=True)
    ]
    numbers = {reading.value_property for reading in readings if reading.reads_numbers}
    return [
        *drafting.find_lost_values(draft, reads),
        *late_sealing.find_flaws(version, present=[measure.pk for measure in measures]),
        *drafting.find_failing_examples(draft, numbers=numbers),
    ]


def readers_of(contract: EventContract, *, at: datetime) -> dict[str, list[str]]:
    """Give, per property of `data`, the codes of the meters that read it, or filter or group by it, now or soon."""
    readers: dict[str, list[str]] = {}
    for measure in _measures_of(contract, at=at):
        reading = measure.as_reading()
        names = [reading.value_property, reading.operation_property, *(one.name for one in reading.filters)]
        for name in dict.fromkeys([*filter(None, names), *reading.group_by]):
            readers.setdefault(name, []).append(measure.meter.code)
    return {name: list(dict.fromkeys(codes)) for name, codes in readers.items()}


def _measures_of(contract: EventContract, *, at: datetime) -> list[MeterVersion]:
    """Give what the meters of this contract measure now, and what they will."""
    meter_ids = list(contract.meters.values_list("pk", flat=True))
    approved = MeterVersion.objects.select_related("meter").filter(
        meter__in=meter_ids, status=MeterVersion.Status.APPROVED
    )
    known = in_force.versions_by_meter(meter_ids)
    now = {meter_id: in_force.at_instant(versions, at) for meter_id, versions in known.items()}
    return [one for one in approved if one.pk == now[one.meter_id].pk or one.effective_at > at]


def draft_of(version: EventContractVersion) -> ContractDraft:
    """Give the content of a version as a plain value."""
    return ContractDraft(**{name: getattr(version, name) for name in drafting.CONTENT})


def _lock_version(version_id: int) -> EventContractVersion:
    """Lock the contract first: two versions of it are put in force one after the other."""
    version = EventContractVersion.objects.filter(pk=version_id).first()
    if version is None:
        raise NotFoundError("There is no such version.")
    EventContract.objects.select_for_update().get(pk=version.contract_id)
    return EventContractVersion.objects.select_related("contract").get(pk=version_id)
