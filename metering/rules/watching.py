"""Whether a source behaves unlike its own recent past: its rates, its lag, its silence."""

import statistics
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from metering.rules import chances


class Shift(StrEnum):
    """What can be found."""

    ACCEPTANCE_FELL = "acceptance_fell"
    DUPLICATES_ROSE = "duplicates_rose"
    DUPLICATES_FELL = "duplicates_fell"
    LAG_ROSE = "lag_rose"
    SILENT = "silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What counts as a shift: the numbers of one version of the policy.

    `false_alarm_rate` is the chance of one test of one stream in one minute to be alarmed by luck.
    """

    window_minutes: int
    baseline_minutes: int
    false_alarm_rate: Decimal
    events_min: int
    share_shift_min: Decimal
    lag_shift_min: Decimal
    silence_days: int
    silence_minutes_min: int
    gaps_min: int
    rhythm_weeks: int


@dataclass(frozen=True, slots=True)
class Problem:
    """What makes a policy unusable, and which of its figures."""

    field: str
    detail: str


LONG_LOOK = 3  # times the recent minutes: a lag that stays up is found also where single minutes before it were high

# The least and the most of each figure; the table holds the same.
BOUNDS: Mapping[str, tuple[Decimal, Decimal]] = {
    "window_minutes": (Decimal(1), Decimal(60)),
    "baseline_minutes": (Decimal(10), Decimal(1440)),
    "false_alarm_rate": (Decimal("1e-10"), Decimal("0.01")),
    "events_min": (Decimal(0), Decimal(10**9)),
    "share_shift_min": (Decimal(0), Decimal(1)),
    "lag_shift_min": (Decimal(0), Decimal(10**6)),
    "silence_days": (Decimal(1), Decimal(31)),
    "silence_minutes_min": (Decimal(0), Decimal(44_640)),
    "gaps_min": (Decimal(1), Decimal(10**6)),
    "rhythm_weeks": (Decimal(0), Decimal(8)),
}


def problems_of(watch: Watch) -> Iterator[Problem]:
    """Every figure that lies outside its bounds, and a past that is no longer than what is held against it."""
    for name, (least, most) in BOUNDS.items():
        if not least <= getattr(watch, name) <= most:
            yield Problem(name, f"Lies between {least.normalize():f} and {most.normalize():f}.")
    if watch.baseline_minutes <= watch.window_minutes:
        yield Problem("baseline_minutes", "The minutes before are more than those that are looked at.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What came in from one stream in a stretch of time; `lags`: the p95 of each minute, newest first."""

    accepted: int
    duplicates: int
    quarantined: int
    lags: tuple[Decimal, ...] = ()

    @property
    def received(self) -> int:
        return self.accepted + self.duplicates + self.quarantined


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How long a stream has been silent, and the pauses between its minutes before that, all in minutes.

    `same_hours` has for each week before how many minutes had events in the hours in which it is silent now.
    """

    silent_for: int
    longest: int
    gaps: int
    same_hours: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A shift, the chance that it is none, and the figures before and now, as text."""

    shift: Shift
    chance: float
    before: str
    now: str


def find_shifts(*, recent: Seen, before: Seen, watch: Watch) -> list[Alarm]:
    """Hold the last minutes against the ones before them; no alarm where there is too little to say anything."""
    if min(recent.received, before.received) < watch.events_min:
        return []
    shares = [
        _share(Shift.ACCEPTANCE_FELL, recent.quarantined, before.quarantined, recent, before),
        _share(Shift.DUPLICATES_ROSE, recent.duplicates, before.duplicates, recent, before),
        _share(
            Shift.DUPLICATES_FELL,
            recent.received - recent.duplicates,
            before.received - before.duplicates,
            recent,
            before,
        ),
    ]
    found = [alarm for alarm, moved in shares if moved >= watch.share_shift_min]
    found += _find_lag(recent.lags, before.lags, watch)
    return [alarm for alarm in found if alarm.chance < watch.false_alarm_rate]


def find_silence(rhythm: Rhythm, *, watch: Watch) -> Alarm | None:
    """Say whether the present pause is too long for this stream, by its longest or by these hours of other weeks."""
    if rhythm.silent_for < watch.silence_minutes_min:
        return None
    judged = (_judge_pause(rhythm, watch), _judge_same_hours(rhythm, watch))
    return next((alarm for alarm in judged if alarm and alarm.chance < watch.false_alarm_rate), None)


def _judge_pause(rhythm: Rhythm, watch: Watch) -> Alarm | None:
    if rhythm.gaps < watch.gaps_min:
        return None
    chance = chances.chance_of_gap(gap=rhythm.silent_for, longest=rhythm.longest, gaps=rhythm.gaps)
    return _silence(rhythm, chance, before=f"{rhythm.gaps} pauses, the longest of {rhythm.longest} min")


def _judge_same_hours(rhythm: Rhythm, watch: Watch) -> Alarm | None:
    """A stream that sleeps at night has long pauses, and is missed by day all the same."""
    weeks, least = len(rhythm.same_hours), min(rhythm.same_hours, default=0)
    if not least or weeks < watch.rhythm_weeks:
        return None
    chance = chances.chance_of_absence(least=least, weeks=weeks)
    return _silence(rhythm, chance, before=f"in {weeks} weeks, at least {least} minutes with events in these hours")


def _silence(rhythm: Rhythm, chance: float, *, before: str) -> Alarm:
    return Alarm(shift=Shift.SILENT, chance=chance, before=before, now=f"silent for {rhythm.silent_for} min")


def _share(shift: Shift, hits: int, hits_before: int, recent: Seen, before: Seen) -> tuple[Alarm, Decimal]:
    """Test one share, and say by how much it rose."""
    chance = chances.chance_of_share(
        hits=hits, total=recent.received, hits_before=hits_before, total_before=before.received
    )
    now, then = Decimal(hits) / recent.received, Decimal(hits_before) / before.received
    is_turned = shift is not Shift.DUPLICATES_ROSE  # told as the share that fell
    shown = [_percent(1 - part if is_turned else part) for part in (then, now)]
    alarm = Alarm(
        shift=shift,
        chance=chance,
        before=f"{shown[0]} of {before.received} events",
        now=f"{shown[1]} of {recent.received} events",
    )
    return alarm, now - then


def _find_lag(recent: Sequence[Decimal], before: Sequence[Decimal], watch: Watch) -> Iterator[Alarm]:
    """Hold the newest lags against the rest; where they say too little, also three times as many."""
    lags = [*recent, *before]
    for size in (len(recent), LONG_LOOK * len(recent)):
        now, then = lags[:size], sorted(lags[size:])
        if not now or not then or statistics.median(now) < statistics.median(then) + watch.lag_shift_min:
            continue
        not_above = sum(len(then) - bisect_left(then, lag) for lag in now)
        alarm = Alarm(
            shift=Shift.LAG_ROSE,
            chance=chances.chance_of_rank_sum(recent=len(now), before=len(then), not_above=not_above),
            before=_told(then),
            now=_told(now),
        )
        if alarm.chance < watch.false_alarm_rate:
            yield alarm
            return


def _told(lags: Sequence[Decimal]) -> str:
    return f"p95 of {statistics.median(lags):.1f} s, the median of {len(lags)} minutes"


def _percent(part: Decimal) -> str:
    return f"{part * 100:.2f} %"
