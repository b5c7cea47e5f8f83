"""Minutes of capture: recorded once they are over, and held against the minutes before them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Min

from core import bulk
from metering import reviews, watermark
from metering.models import ArrivalMinute, ArrivalProgress, CaptureBatch, HealthPolicy
from metering.rules import watching
from metering.rules.watching import Alarm, Rhythm, Seen, Watch
from metering.store import minutes
from metering.store.minutes import MinuteRow, StreamSums

MINUTE = timedelta(minutes=1)
AT_ONCE = timedelta(hours=1)
PAST = timedelta(days=31)  # a source's own past goes no further back
CATCH_UP = timedelta(days=1)  # what came while nobody watched is judged afterwards, so far back
NOTHING = Seen(accepted=0, duplicates=0, quarantined=0)


@dataclass(frozen=True, slots=True)
class Finding:
    """An alarm about a stream."""

    stream_id: int
    alarm: Alarm


def floor_minute(instant: datetime) -> datetime:
    """Give the beginning of its minute."""
    return instant.replace(second=0, microsecond=0)


def record_minutes(*, until: datetime | None = None) -> datetime:
    """Record every minute that has ended since the last one recorded; give up to where.

    A minute is over when no capture that began in it can still commit. Killed half-way, it goes on where it was.
    """
    until = until or floor_minute(watermark.settle().at)
    reached = _record_some(until)
    while reached < until:
        reached = _record_some(until)
    return until


def _record_some(until: datetime) -> datetime:
    with transaction.atomic():
        progress = _lock_progress(until)
        start, end = progress.recorded_until, min(progress.recorded_until + AT_ONCE, until)
        if start >= end:
            return until
        _store(minutes.count_minutes(start=start, end=end))
        progress.recorded_until = end
        progress.save(update_fields=["recorded_until"])
    return end


def _lock_progress(until: datetime) -> ArrivalProgress:
    if not ArrivalProgress.objects.exists():
        first = CaptureBatch.objects.aggregate(first=Min("received_at"))["first"]
        begins = floor_minute(first) if first else until
        ArrivalProgress.objects.bulk_create([ArrivalProgress(recorded_until=begins)], ignore_conflicts=True)
    return ArrivalProgress.objects.select_for_update().get()


def _store(rows: Sequence[MinuteRow]) -> None:
    if not rows:
        return
    streams = minutes.note_streams(rows)
    bulk.insert_rows(
        [
            ArrivalMinute(
                stream_id=None if row.is_whole else streams[row.source, row.type],
                minute=row.minute,
                accepted=row.accepted,
                duplicates=row.duplicates,
                quarantined=row.quarantined,
                lag_p50=row.lag.p50,
                lag_p95=row.lag.p95,
                lag_max=row.lag.max,
                lag_count=row.lag_count,
            )
            for row in rows
        ]
    )


def record_and_watch(*, at: datetime, until: datetime | None = None) -> None:
    """Record the minutes that are over and judge them all, also those that came while no worker ran."""
    progress = ArrivalProgress.objects.first()
    until = record_minutes(until=until)
    step = watch_of(policy).window_minutes * MINUTE if (policy := _find_policy()) else MINUTE
    missed = max(progress.recorded_until, until - CATCH_UP) + step if progress else until
    while missed < until:
        watch_streams(until=missed, at=at, is_past=True)
        missed += step
    watch_streams(until=until, at=at)


def watch_streams(*, until: datetime, at: datetime, is_past: bool = False) -> list[Finding]:
    """Hold the minutes before `until` against the past of each stream; every shift is opened for review, once.

    Who was silent in the past and has sent since is not missed any more.
    """
    policy = _find_policy()
    if policy is None:
        return []
    watch = watch_of(policy)
    with transaction.atomic():
        ArrivalProgress.objects.select_for_update().get()  # one watcher at a time
        found = [*_find_shifts(watch, until=until), *(() if is_past else _find_silences(watch, until=until))]
        reviews.open_items(found, policy=policy, minute=until, at=at)
    return found


def _find_policy() -> HealthPolicy | None:
    return HealthPolicy.objects.order_by("-version").first()


def watch_of(policy: HealthPolicy) -> Watch:
    """Give a version of the policy as a plain value."""
    return Watch(**{name: getattr(policy, name) for name in Watch.__dataclass_fields__})


def _find_shifts(watch: Watch, *, until: datetime) -> Iterator[Finding]:
    split = until - watch.window_minutes * MINUTE
    sums = minutes.sum_minutes(
        since=split - PAST, split=split, end=until, before=watch.baseline_minutes, events_min=watch.events_min
    )
    before = {each.stream_id: _seen(each) for each in sums if not each.is_recent}
    for each in (each for each in sums if each.is_recent):
        shifts = watching.find_shifts(recent=_seen(each), before=before.get(each.stream_id, NOTHING), watch=watch)
        yield from (Finding(each.stream_id, alarm) for alarm in shifts)


def _seen(sums: StreamSums) -> Seen:
    return Seen(accepted=sums.accepted, duplicates=sums.duplicates, quarantined=sums.quarantined, lags=sums.lags)


def _find_silences(watch: Watch, *, until: datetime) -> Iterator[Finding]:
    rhythms = minutes.find_rhythms(
        start=until - timedelta(days=watch.silence_days),
        silent_since=until - watch.silence_minutes_min * MINUTE,
        end=until,
        weeks=watch.rhythm_weeks,
    )
    for each in rhythms:
        silent_for = (until - each.last_minute) // MINUTE
        hours = tuple(each.same_hours)
        rhythm = Rhythm(silent_for=silent_for, longest=each.longest, gaps=each.gaps, same_hours=hours)
        if alarm := watching.find_silence(rhythm, watch=watch):
            yield Finding(each.stream_id, alarm)
