"""The nightly check goes invariant by invariant: in parts, past what was stopped in it, and kept at its end."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from core import invariants, searching, work
from core.invariants import Invariant, rows_of
from core.models import Job
from invoicing.cycle import offences, tasks
from invoicing.cycle.models import Offence, OffenceCheck, OffenceSearch
from tests.builders import billing
from tests.builders.billing import CLOSING

pytestmark = pytest.mark.django_db
LATER = CLOSING + timedelta(days=1)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What each of three invariants finds; a test changes it."""
    found: dict[str, list[str]] = {"time": [], "money": ["AUD-1 is gone"], "order": ["AUD-2 is gone"]}

    def finding(name: str) -> Any:
        def find() -> Sequence[str]:
            searched.append(name)
            return found[name]

        return find

    searched: list[str] = []
    own = [Invariant(number=number, name=name, find_offenders=finding(name)) for number, name in enumerate(found, 1)]
    monkeypatch.setattr(invariants, "all_invariants", lambda: own)
    found["searched"] = searched
    return found


def go_on(*, steps: int = 99, at: Any = CLOSING) -> offences.Checked | None:
    """A slice that has time for so many searches."""
    calls = count()
    return offences.go_on_with_check(at=at, is_over=lambda: next(calls) >= steps - 1, seconds_max=1)


def open_names() -> set[str]:
    return {f"{one.name}: {one.offender}" for one in offences.open_offences()}


def test_a_check_in_parts_keeps_what_it_found_at_its_end(found: dict[str, list[str]]) -> None:
    for _ in range(2):
        assert go_on(steps=1) is None
        assert open_names() == set()
    assert go_on(steps=1) == offences.Checked(new=2, known=0, cleared=0)
    assert found["searched"] == ["time", "money", "order"]
    assert open_names() == {"money: AUD-1 is gone", "order: AUD-2 is gone"}
    assert OffenceCheck.objects.get().finished_at == CLOSING
    found["money"].clear()
    assert go_on(at=LATER) == offences.Checked(new=0, known=1, cleared=1)
    assert open_names() == {"order: AUD-2 is gone"}


def test_what_could_not_be_searched_is_said_and_clears_nothing(
    found: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = billing.billed_customer(billing.open_company())
    found["order"] = [f"invoice {invoice.pk}"]
    go_on()
    slow = rows_of("SELECT done FROM (SELECT pg_sleep(1.5)::text AS done OFFSET 0) AS slept WHERE done <> ''")
    own = invariants.all_invariants()
    monkeypatch.setattr(
        invariants, "all_invariants", lambda: [*own[:2], Invariant(number=3, name="order", find_offenders=slow)]
    )
    assert go_on(at=LATER) == offences.Checked(new=1, known=1, cleared=0)
    limit = "It took longer than 1 s, which is what a worker gives one invariant."
    assert open_names() == {
        "money: AUD-1 is gone",
        f"order: invoice {invoice.pk}",
        f"order: Not searched to the end. {limit}",
    }
    assert Offence.objects.get(offender__startswith="Not searched").customer is None
    assert Offence.objects.get(offender__startswith="invoice").customer == invoice.customer
    found["order"].clear()
    monkeypatch.setattr(invariants, "all_invariants", lambda: own)
    assert go_on(at=LATER) == offences.Checked(new=0, known=1, cleared=2)


def test_a_search_that_took_its_worker_along_twice_is_left_and_the_others_are_searched(
    found: dict[str, list[str]],
) -> None:
    killed = OffenceSearch.objects.create(
        run=OffenceCheck.objects.create(asked_at=CLOSING), number=1, name="time", begun_at=CLOSING, attempts=2
    )
    go_on()
    killed.refresh_from_db()
    assert (killed.outcome, killed.why) == ("interrupted", searching.STOPPED)
    assert found["searched"] == ["money", "order"]
    assert f"time: Not searched to the end. {searching.STOPPED}" in open_names()


def test_a_stop_in_a_search_is_no_attempt(found: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped() -> Sequence[str]:
        raise KeyboardInterrupt

    own = invariants.all_invariants()
    interrupted = Invariant(number=1, name="time", find_offenders=stopped)
    monkeypatch.setattr(invariants, "all_invariants", lambda: [interrupted, *own[1:]])
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            go_on()
    assert OffenceSearch.objects.get().attempts == 0
    monkeypatch.setattr(invariants, "all_invariants", lambda: own)
    assert go_on() is not None


def test_each_slice_of_the_job_queues_the_next(found: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "SLICE_SECONDS", -1)
    offences.ask_for_check(actor=billing.person("olga", "ops"), at=CLOSING)
    assert work.run_due_jobs(at=timezone.now() + timedelta(seconds=9)) == 3
    assert set(Job.objects.values_list("state", flat=True)) == {"done"}
    assert open_names() == {"money: AUD-1 is gone", "order: AUD-2 is gone"}


def test_one_check_is_open_at_a_time_and_a_finished_one_never_changes(found: dict[str, list[str]]) -> None:
    OffenceCheck.objects.create(asked_at=CLOSING)
    with pytest.raises(IntegrityError), transaction.atomic():
        OffenceCheck.objects.create(asked_at=LATER)
    go_on()
    with pytest.raises(DatabaseError), transaction.atomic():
        OffenceCheck.objects.update(finished_at=LATER)
    with pytest.raises(DatabaseError), transaction.atomic():
        OffenceSearch.objects.create(run=OffenceCheck.objects.get(), number=9, name="late", begun_at=LATER)
