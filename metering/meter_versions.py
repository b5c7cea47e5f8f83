"""Changes of what a meter measures: proposed by one person, approved by the meter's owner, in force from an instant."""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import roles
from core import audit
from core.errors import DomainError, InvalidInputError, NotAllowedError, NotFoundError
from metering import in_force, meters
from metering.meters import KEEPERS
from metering.models import AggregationSnapshot, Meter, MeterVersion
from metering.rules import measures
from metering.rules.instants import instant_text
from metering.rules.measures import Change, MeterContent

Status = MeterVersion.Status
YEARS = range(2000, 2200)


class AlreadyDecidedError(DomainError):
    """A proposal is decided once; to change the mind, propose again."""

    code = "already_decided"


class NothingChangesError(DomainError):
    """The proposal says what is in force anyway."""

    code = "nothing_changes"


class AlreadyCountedError(DomainError):
    """Windows after that instant are counted and stand on drafts or invoices."""

    code = "already_counted"


def propose_version(
    *, meter: Meter, content: MeterContent, effective_at: datetime, reason: str, actor: Any, at: datetime
) -> MeterVersion:
    """Ask for another measure, or other words, from an instant on; nothing changes before the owner approves."""
    roles.require_role(actor, *KEEPERS, to="propose what a meter measures")
    _check_instant(effective_at)
    with transaction.atomic():
        meters.lock_contract(meter.contract)
        Meter.objects.select_for_update().get(pk=meter.pk)
        meters.require_measurable(meter.contract, content)
        before = in_force.version_of(meter.pk, at=effective_at)
        if not measures.find_changes(content_of(before), content):
            raise NothingChangesError(f"Version {before.version} of {meter.code} says the same; change something.")
        latest = meter.versions.order_by("-version").values_list("version", flat=True)[0]
        version = MeterVersion(
            meter=meter,
            version=latest + 1,
            effective_at=effective_at,
            **content.columns(),
            reason=reason,
            proposed_by=actor,
            proposed_at=at,
        )
        meters.check_fields(version)
        version.save(force_insert=True)
    return version


def approve_version(*, version_id: int, actor: Any, at: datetime) -> MeterVersion:
    """Let the version come in force at its instant; only the meter's owner does that, and not with an own proposal."""
    with transaction.atomic():
        version = _lock_proposal(version_id)
        meter = version.meter
        roles.require_role(actor, *KEEPERS, to="approve what a meter measures")
        if meter.owner_id != actor.pk:
            raise NotAllowedError(f"{meter.code} is {meter.owner}'s: only its owner approves its versions.")
        if version.proposed_by_id == actor.pk:
            raise NotAllowedError("You proposed this yourself. Let a colleague propose it, or hand the meter over.")
        meters.require_measurable(meter.contract, content_of(version))
        _require_uncounted(version)
        return _decide(version, Status.APPROVED, reason="", actor=actor, at=at)


def reject_version(*, version_id: int, reason: str, actor: Any, at: datetime) -> MeterVersion:
    """Say no, with a reason; the owner does that, and whoever proposed it may withdraw it."""
    with transaction.atomic():
        version = _lock_proposal(version_id)
        roles.require_role(actor, *KEEPERS, to="decide about what a meter measures")
        if version.proposed_by_id == actor.pk:
            return _decide(version, Status.WITHDRAWN, reason=reason, actor=actor, at=at)
        if version.meter.owner_id != actor.pk:
            raise NotAllowedError(f"{version.meter.code} is {version.meter.owner}'s: only its owner rejects a version.")
        return _decide(version, Status.REJECTED, reason=reason, actor=actor, at=at)


def get_version(code: str, version: int) -> MeterVersion:
    """Give one version of the meter of this code; NotFoundError where there is none."""
    known = MeterVersion.objects.select_related("meter__owner", "meter__contract", "proposed_by", "decided_by")
    found = known.filter(meter=meters.get_meter(code), version=version).first()
    if found is None:
        raise NotFoundError(f"The meter {code} has no version {version}.")
    return found


def content_of(version: MeterVersion) -> MeterContent:
    """Give the content of a version as a plain value."""
    return MeterContent(**{name: getattr(version, name) for name in measures.CONTENT})


def changes_from(before: MeterVersion, after: MeterVersion) -> list[Change]:
    """Give what the later one says differently."""
    return measures.find_changes(content_of(before), content_of(after))


def former_of(version: MeterVersion) -> MeterVersion | None:
    """Give the approved version that this one replaces, or would; None for the first."""
    approved = MeterVersion.objects.filter(meter=version.meter_id, status=Status.APPROVED, version__lt=version.version)
    return approved.filter(effective_at__lte=version.effective_at).order_by("-effective_at", "-version").first()


def _check_instant(instant: datetime) -> None:
    if instant.tzinfo is None or instant.year not in YEARS:
        raise InvalidInputError(
            f"Say an instant with an offset, of the years {YEARS[0]} to {YEARS[-1]}.", pointer="/effective_at"
        )


def _lock_proposal(version_id: int) -> MeterVersion:
    """Lock contract and meter first, in the order of everyone who changes what is measured."""
    version = MeterVersion.objects.select_related("meter__contract").filter(pk=version_id).first()
    if version is None:
        raise NotFoundError("There is no such version.")
    meters.lock_contract(version.meter.contract)
    # A snapshot's foreign key waits for this lock, so a close that counts now sees this version or is refused.
    Meter.objects.select_for_update().get(pk=version.meter_id)
    locked = MeterVersion.objects.select_related("meter__contract", "meter__owner").get(pk=version_id)
    if locked.status != Status.PROPOSED:
        raise AlreadyDecidedError(f"{locked} is {locked.get_status_display().lower()}; propose a new version.")
    return locked


def _require_uncounted(version: MeterVersion) -> None:
    before = in_force.version_of(version.meter_id, at=version.effective_at)
    if in_force.measure_of(before) == in_force.measure_of(version):
        return
    counted = AggregationSnapshot.objects.filter(
        meter=version.meter_id,
        kind=AggregationSnapshot.Kind.CYCLE,
        retired_at=None,
        window_end__gt=version.effective_at,
    )
    latest = counted.order_by("-window_end").first()
    if latest is not None:
        until = instant_text(latest.window_end)
        raise AlreadyCountedError(
            f"{version.meter.code} is counted and billed up to {until}. Propose a version effective then or later."
        )


def _decide(version: MeterVersion, status: Status, *, reason: str, actor: Any, at: datetime) -> MeterVersion:
    version.status, version.decided_by, version.decided_at, version.decision_reason = status, actor, at, reason
    version.save(update_fields=["status", "decided_by", "decided_at", "decision_reason"])
    facts = {
        "meter": version.meter.code,
        "version": version.version,
        "effective_at": instant_text(version.effective_at),
        "reason": reason,
    }
    audit.append_entry(
        action=f"meter.version_{status}", subject=f"meter_version:{version.pk}", actor=actor, facts=facts, at=at
    )
    return version
