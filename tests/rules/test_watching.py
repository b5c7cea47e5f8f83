"""When a source is said to behave unlike its own past, and when there is nothing to say."""

import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.rules import watching
from metering.rules.watching import Alarm, Rhythm, Seen, Shift, Watch

WATCH = Watch(
    window_minutes=5,
    baseline_minutes=120,
    false_alarm_rate=Decimal("1e-7"),
    events_min=50,
    share_shift_min=Decimal("0.02"),
    lag_shift_min=Decimal(10),
    silence_days=7,
    silence_minutes_min=5,
    gaps_min=20,
    rhythm_weeks=4,
)


def seen(accepted: int, duplicates: int = 0, quarantined: int = 0, lags: tuple[int, ...] = ()) -> Seen:
    return Seen(
        accepted=accepted, duplicates=duplicates, quarantined=quarantined, lags=tuple(Decimal(lag) for lag in lags)
    )


def shifts(recent: Seen, before: Seen) -> list[Shift]:
    return [alarm.shift for alarm in watching.find_shifts(recent=recent, before=before, watch=WATCH)]


def test_events_held_back_all_at_once_are_a_shift() -> None:
    (alarm,) = watching.find_shifts(recent=seen(400, 0, 100), before=seen(9990, 0, 10), watch=WATCH)
    assert (alarm.shift, alarm.before, alarm.now) == (
        Shift.ACCEPTANCE_FELL,
        "99.90 % of 10000 events",
        "80.00 % of 500 events",
    )
    assert alarm.chance < 1e-50


def test_the_same_rates_are_none() -> None:
    assert shifts(seen(450, 25, 25), seen(9000, 500, 500)) == []


def test_a_rate_that_gets_better_is_none() -> None:
    assert shifts(seen(500), seen(8000, 0, 2000)) == []


def test_duplicates_are_watched_both_ways() -> None:
    """Fewer than usual: retries that carry new ids are counted twice."""
    assert shifts(seen(250, 250), seen(9000, 1000)) == [Shift.DUPLICATES_ROSE]
    assert shifts(seen(500, 0), seen(9000, 1000)) == [Shift.DUPLICATES_FELL]


def test_a_shift_too_small_to_matter_is_none_however_certain() -> None:
    assert shifts(seen(989_000, 0, 11_000), seen(10_000_000)) == []
    assert shifts(seen(979_000, 0, 21_000), seen(10_000_000)) == [Shift.ACCEPTANCE_FELL]


@pytest.mark.parametrize(("recent", "before"), [(49, 10_000), (500, 49)])
def test_few_events_say_nothing(recent: int, before: int) -> None:
    assert shifts(seen(0, 0, recent), seen(before)) == []


def test_a_lag_above_all_that_was_before_is_a_shift() -> None:
    usual = tuple(range(1, 31))
    (alarm,) = watching.find_shifts(
        recent=seen(500, lags=(50, 45, 41, 60, 70)), before=seen(9000, lags=usual * 4), watch=WATCH
    )
    assert (alarm.shift, alarm.before, alarm.now) == (
        Shift.LAG_ROSE,
        "p95 of 15.5 s, the median of 120 minutes",
        "p95 of 50.0 s, the median of 5 minutes",
    )
    assert shifts(seen(500, lags=(25, 25, 25, 25, 25)), seen(9000, lags=usual * 4)) == []  # less than 10 s more
    assert shifts(seen(500, lags=(50,)), seen(9000, lags=usual * 4)) == []  # 1 in 121 is no surprise


def test_one_straggler_in_two_hours_hides_no_lag() -> None:
    """One client that was offline for an hour: five pairs are not higher, 19 orders of C(125, 5) = 234,531,275."""
    (alarm,) = watching.find_shifts(
        recent=seen(500, lags=(600,) * 5), before=seen(9000, lags=(1,) * 60 + (3600,) + (1,) * 59), watch=WATCH
    )
    assert alarm.chance == 19 / 234_531_275


def test_a_lag_that_stays_up_is_found_among_many_stragglers() -> None:
    """Every tenth minute has one: five minutes say nothing, fifteen do."""
    usual = ((1,) * 9 + (3600,)) * 12
    assert shifts(seen(500, lags=(600,) * 5), seen(9000, lags=usual)) == []
    assert shifts(seen(500, lags=(600,) * 5), seen(9000, lags=(600,) * 10 + usual[:110])) == [Shift.LAG_ROSE]


def silence(silent_for: int, longest: int, gaps: int, same_hours: tuple[int, ...] = ()) -> Alarm | None:
    rhythm = Rhythm(silent_for=silent_for, longest=longest, gaps=gaps, same_hours=same_hours)
    return watching.find_silence(rhythm, watch=WATCH)


def test_a_source_that_sends_every_minute_is_missed_after_five() -> None:
    assert silence(4, 1, 10_000) is None
    found = silence(5, 1, 10_000)
    assert found is not None
    assert (found.shift, found.before, found.now) == (
        Shift.SILENT,
        "10000 pauses, the longest of 1 min",
        "silent for 5 min",
    )


def test_a_source_that_sleeps_at_night_is_not_missed_in_the_morning() -> None:
    """Nine hours of pause every night, three of them seen: the next night is like the others."""
    assert silence(545, 540, 2600) is None
    assert silence(3 * 540, 540, 2600) is not None


def test_an_unknown_rhythm_is_not_judged() -> None:
    assert silence(10_000, 1, 19) is None


def test_a_source_that_sleeps_at_night_is_missed_by_day() -> None:
    """(4/5) ** 72 is 1.05e-7 and (4/5) ** 76 is 4.3e-8: nineteen minutes in each of four weeks, and none today."""
    assert silence(18, 840, 3000, (18, 18, 18, 18)) is None
    found = silence(19, 840, 3000, (20, 19, 25, 19))
    assert found is not None
    assert (found.shift, found.before) == (Shift.SILENT, "in 4 weeks, at least 19 minutes with events in these hours")
    assert found.chance == pytest.approx(4.31359e-8, rel=1e-5)


@pytest.mark.parametrize("same_hours", [(600, 600, 600), (600, 600, 0, 600), (0, 0, 0, 0), ()])
def test_hours_in_which_it_was_silent_before_or_of_which_little_is_known_are_not_judged(
    same_hours: tuple[int, ...],
) -> None:
    assert silence(600, 840, 3000, same_hours) is None


@given(st.integers(0, 2**32))
def test_a_steady_source_raises_no_alarm(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  a made-up source, not a secret
    before = [chance.random() for _ in range(2000)]
    recent = [chance.random() for _ in range(100)]

    def dealt(draws: list[float]) -> Seen:
        held = sum(draw < 0.05 for draw in draws)
        twice = sum(0.05 <= draw < 0.15 for draw in draws)
        return seen(len(draws) - held - twice, twice, held)

    assert shifts(dealt(recent), dealt(before)) == []
