"""Which version of a meter measures when: approved versions, laid end to end."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import pairwise

from metering.models import MeterVersion
from metering.models.meters import MEASURE

Versions = Sequence[MeterVersion]


def versions_by_meter(meter_ids: Collection[int]) -> dict[int, list[MeterVersion]]:
    """Give the versions of each meter that come in force, in order of time; one replaced at its own instant is not."""
    approved = MeterVersion.objects.filter(meter__in=set(meter_ids), status=MeterVersion.Status.APPROVED)
    found: dict[int, list[MeterVersion]] = defaultdict(list)
    for version in approved.order_by("meter_id", "effective_at", "version"):
        own = found[version.meter_id]
        if own and own[-1].effective_at == version.effective_at:
            own.pop()
        own.append(version)
    return found


def at_instant(versions: Versions, instant: datetime) -> MeterVersion:
    """Give the one in force at this instant; the first has been there always."""
    found = versions[0]
    for version in versions[1:]:
        if version.effective_at <= instant:
            found = version
    return found


def version_of(meter_id: int, *, at: datetime) -> MeterVersion:
    """Give the version of one meter in force at this instant."""
    return at_instant(versions_by_meter([meter_id])[meter_id], at)


def changes_of(versions: Versions) -> list[datetime]:
    """Give the instants at which what is measured changes; a version in other words alone changes nothing."""
    return [after.effective_at for version, after in pairwise(versions) if measure_of(version) != measure_of(after)]


def measure_of(version: MeterVersion) -> list[object]:
    """Give all that decides about a quantity."""
    return [getattr(version, name) for name in MEASURE]


def measure_changes(meter_ids: Collection[int]) -> dict[int, list[datetime]]:
    """Give, per meter, the instants at which windows have to be cut."""
    return {meter_id: changes_of(versions) for meter_id, versions in versions_by_meter(meter_ids).items()}
