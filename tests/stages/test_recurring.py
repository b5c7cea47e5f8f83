"""Work by the clock: once per stretch of time, whoever looks and however often."""

from datetime import UTC, datetime, timedelta

import pytest

from core import recurring, work
from core.models import Job, Recurrence

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What ran, in order; nothing else recurs in this test."""
    seen: list[str] = []
    monkeypatch.setattr(work, "_handlers", {})
    monkeypatch.setattr(recurring, "_intervals", {})
    monkeypatch.setattr(recurring, "_due", {})
    recurring.every(timedelta(hours=1), kind="hourly")(lambda: seen.append("hourly"))
    recurring.every(timedelta(days=1), kind="daily")(lambda: seen.append("daily"))
    return seen


def look(at: datetime) -> None:
    recurring.enqueue_due(at=at)
    work.run_due_jobs(at=at)


def test_it_runs_once_in_its_stretch_of_time(runs: list[str]) -> None:
    look(NOON)
    look(NOON + timedelta(minutes=59))
    assert sorted(runs) == ["daily", "hourly"]


def test_it_runs_again_in_the_next(runs: list[str]) -> None:
    look(NOON)
    look(NOON + timedelta(hours=1))
    assert sorted(runs) == ["daily", "hourly", "hourly"]


def test_a_second_worker_finds_it_queued(runs: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    look(NOON)
    monkeypatch.setattr(recurring, "_due", {})  # another process knows nothing of it
    look(NOON + timedelta(minutes=1))
    assert sorted(runs) == ["daily", "hourly"]
    assert sorted(Recurrence.objects.values_list("kind", "due_at")) == [
        ("daily", datetime(2026, 11, 21, tzinfo=UTC)),
        ("hourly", datetime(2026, 11, 20, 13, tzinfo=UTC)),
    ]


def test_stretches_that_nobody_saw_are_not_made_up_for(runs: list[str]) -> None:
    look(NOON)
    look(NOON + timedelta(days=3))
    assert runs.count("daily") == 2


def test_a_run_that_takes_longer_than_its_interval_is_not_joined_by_the_next(runs: list[str]) -> None:
    recurring.enqueue_due(at=NOON)
    recurring.enqueue_due(at=NOON + timedelta(hours=1))
    assert Job.objects.filter(kind="hourly").count() == 1


def test_of_the_runs_that_ended_the_latest_is_kept(runs: list[str]) -> None:
    for hour in range(5):
        look(NOON + timedelta(hours=hour))
    assert runs.count("hourly") == 5
    assert Job.objects.filter(kind="hourly").count() == 2


def test_a_run_that_was_given_up_shows_until_later_ones_went_well(runs: list[str]) -> None:
    recurring.enqueue_due(at=NOON)
    Job.objects.update(state="dead", finished_at=NOON)
    look(NOON + timedelta(hours=1))
    assert Job.objects.filter(kind="hourly", state="dead").exists()
    recurring.enqueue_due(at=NOON + timedelta(hours=2))
    assert not Job.objects.filter(kind="hourly", state="dead").exists()
