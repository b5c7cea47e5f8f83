"""Work by the clock: once per stretch of time, whoever looks and however often."""

from datetime import UTC, datetime, timedelta

import pytest

from core import recurring, work
from core.models import Job

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What ran, in order; nothing else recurs in this test."""
    seen: list[str] = []
    monkeypatch.setattr(work, "_handlers", {})
    monkeypatch.setattr(recurring, "_intervals", {})
    monkeypatch.setattr(recurring, "_enqueued", {})
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
    monkeypatch.setattr(recurring, "_enqueued", {})  # another process knows nothing of it
    look(NOON + timedelta(minutes=1))
    assert sorted(runs) == ["daily", "hourly"]
    assert sorted(Job.objects.values_list("kind", "key")) == [
        ("daily", "2026-11-20T00:00:00+00:00"),
        ("hourly", "2026-11-20T12:00:00+00:00"),
    ]


def test_stretches_that_nobody_saw_are_not_made_up_for(runs: list[str]) -> None:
    look(NOON)
    look(NOON + timedelta(days=3))
    assert runs.count("daily") == 2
