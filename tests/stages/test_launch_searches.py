"""Invariants are searched one by one: each with its own proof, resumable, and never stopped without a word."""

from collections.abc import Sequence
from itertools import count
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from compliance.launch import check
from compliance.launch.models import InvariantSearch, LaunchCheck
from core import invariants, searching
from core.invariants import Invariant, rows_of
from tests.builders import launch
from tests.builders.launch import CHECKED

pytestmark = pytest.mark.django_db
SECONDS = 1


def slow() -> Sequence[str]:
    """Takes 1.5 s in the database and finds nothing."""
    return rows_of("SELECT done FROM (SELECT pg_sleep(1.5)::text AS done OFFSET 0) AS slept WHERE done <> ''")()


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Three invariants instead of all; what was searched is told in order."""
    told: list[str] = []

    def finding(name: str, found: list[str]) -> Any:
        def find() -> list[str]:
            told.append(name)
            return found

        return find

    own = [
        Invariant(number=2, name="money", find_offenders=finding("money", [f"invoice {one}" for one in range(25)])),
        Invariant(number=1, name="time", find_offenders=finding("time", [])),
        Invariant(number=3, name="order", find_offenders=finding("order", [])),
    ]
    monkeypatch.setattr(invariants, "all_invariants", lambda: own)
    return told


def begin() -> LaunchCheck:
    return check.begin_run(actor=None, at=CHECKED)


def go_on(run: LaunchCheck, *, steps: int = 99, seconds_max: int | None = SECONDS) -> bool:
    """A slice that has time for so many searches."""
    calls = count()
    return searching.go_on(run, at=CHECKED, is_over=lambda: next(calls) >= steps - 1, seconds_max=seconds_max)


def outcomes(run: LaunchCheck) -> dict[str, str]:
    return dict(run.searches.values_list("name", "outcome"))


def test_each_invariant_has_its_own_proof(searched: list[str]) -> None:
    found = launch.results(launch.run_check())["invariants_clean"]
    assert searched == ["time", "money", "order"]  # by their numbers
    assert found.said == "1 of 3 invariants do not hold; the first: money."
    [row] = launch.rows(found)
    assert row[:2] == ["2", "money"]
    assert row[2].startswith("invoice 0; invoice 1; ")
    kept = InvariantSearch.objects.get(name="money")
    assert (kept.count, len(kept.offenders), kept.outcome) == (25, 20, "broken")
    assert row[4] == kept.proof_hash
    assert len({one.proof_hash for one in InvariantSearch.objects.all()}) == 3


def test_a_slice_goes_on_where_the_one_before_it_stopped(searched: list[str]) -> None:
    run = begin()
    keys = [searching.steps_taken(run)]
    for _ in range(2):
        assert go_on(run, steps=1) is False
        keys.append(searching.steps_taken(run))
    assert searching.how_far(run) == (2, 3)
    assert go_on(run) is True
    assert searched == ["time", "money", "order"]
    assert searching.how_far(run) == (3, 3)
    assert keys == [0, 2, 4]  # so that each slice can queue the next


def test_a_search_that_was_killed_is_tried_once_more_and_then_said_to_be_interrupted(searched: list[str]) -> None:
    run = begin()
    killed = InvariantSearch.objects.create(run=run, number=1, name="time", begun_at=CHECKED)
    assert go_on(run) is True
    killed.refresh_from_db()
    assert (killed.outcome, killed.attempts) == ("clean", 2)
    again = begin()
    InvariantSearch.objects.create(run=again, number=1, name="time", begun_at=CHECKED, attempts=2)
    assert go_on(again) is True
    assert outcomes(again) == {"time": "interrupted", "money": "broken", "order": "clean"}
    assert again.searches.get(name="time").why == searching.STOPPED


def test_what_takes_longer_than_a_worker_gives_it_leaves_the_box_open_and_can_be_searched_to_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = [
        Invariant(number=1, name="slow", find_offenders=slow),
        Invariant(number=2, name="faulty", find_offenders=lambda: [str(1 // 0)]),
        Invariant(number=3, name="fast", find_offenders=list),
    ]
    monkeypatch.setattr(invariants, "all_invariants", lambda: own)
    run = begin()
    check.go_on(run_id=run.pk, at=CHECKED, seconds_max=SECONDS)
    assert outcomes(run) == {"slow": "interrupted", "faulty": "interrupted", "fast": "clean"}
    found = launch.results(run)["invariants_clean"]
    assert not found.is_closed
    assert found.said == (
        "2 of 3 were not searched to the end; the first: slow."
        " It took longer than 1 s, which is what a worker gives one invariant."
    )
    assert "manage.py launch_check" in found.remedy
    assert launch.rows(found)[1][2] == "ZeroDivisionError: integer division or modulo by zero"
    own.pop(1)
    again = launch.run_check()  # as at the command line: without a limit
    assert outcomes(again) == {"slow": "clean", "fast": "clean"}
    assert launch.results(again)["invariants_clean"].is_closed


def test_what_was_found_never_changes(searched: list[str]) -> None:
    run = begin()
    go_on(run)
    changes: list[dict[str, Any]] = [{"outcome": "clean", "count": 0}, {"offenders": []}, {"name": "other"}]
    for change in changes:
        with pytest.raises(DatabaseError), transaction.atomic():
            run.searches.filter(name="money").update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        run.searches.all().delete()
    finished = launch.run_check()
    with pytest.raises(DatabaseError), transaction.atomic():
        InvariantSearch.objects.create(run=finished, number=9, name="late", begun_at=CHECKED)
