"""What takes longer than a worker gives one job is finished all the same, under limits that are lowered for it."""

import signal
import time
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from compliance.launch import check
from compliance.launch.models import LaunchCheck
from core import searching
from core.models import Job
from invoicing.cycle import offences
from invoicing.cycle.models import OffenceCheck, OffenceSearch
from invoicing.replay import run, sets
from tests.builders import billing, replayed
from tests.builders.chores.invariants import SEARCHED
from tests.builders.working import Worker, at_work, wait_for

pytestmark = pytest.mark.django_db(transaction=True)
STOP_SECONDS = 20  # eight for jobs in hand, and what a busy machine adds
BRIEF = {"WORKERS": "1", "CHORES_JOB_SECONDS": "2", "CHORES_QUEUE_SECONDS": "4"}


def attempts(kind: str) -> set[int]:
    return set(Job.objects.filter(kind=kind).values_list("attempts", flat=True))


def is_searching() -> bool:
    """Whether PostgreSQL runs the slow search."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(%%' AND state = 'active')"
        )
        return bool(cursor.fetchone()[0])


def test_a_play_that_outlasts_a_job_comes_to_its_end(tmp_path: Path) -> None:
    company = replayed.open_company()
    replayed.bill_two_months(company)
    at = timezone.now()
    sets.make_from_history(name="autumn", customer_codes=["acme"], until=None, actor=company.finance, at=at)
    asked = run.ask(name="autumn", orders=2, actor=company.finance, at=at)  # three plays, one after the other
    with at_work(tmp_path / "notes", **BRIEF):
        wait_for(lambda: run.find_run(asked.pk).finished_at is not None, seconds=120)
    ended = run.find_run(asked.pk)
    assert (ended.verdict, ended.problem) == ("passed", "")
    assert (ended.duration_ms or 0) > 4000  # more than the queue gives a task here
    assert attempts(run.RUN_JOB) == {1}


@pytest.mark.nightly
def test_a_search_that_outlasts_a_job_comes_to_its_end_at_night_and_for_a_launch(tmp_path: Path) -> None:
    company = billing.open_company()
    billing.billed_customer(company)
    asked = check.ask_for_check(actor=company.finance, at=timezone.now())
    with at_work(tmp_path / "notes", CHORES_SEARCH_SECONDS="6", **BRIEF):
        wait_for(OffenceCheck.objects.filter(finished_at__isnull=False).exists, seconds=240)  # a worker begins with it
        wait_for(LaunchCheck.objects.filter(finished_at__isnull=False).exists, seconds=240)
    for searches in (OffenceCheck.objects.get().searches, asked.searches):
        slow = searches.get(name=SEARCHED)
        assert (slow.outcome, slow.attempts) == ("clean", 1)
        assert (slow.duration_ms or 0) > 4000
        assert list(searches.exclude(outcome="clean").values_list("name", "outcome", "offenders")) == []
    assert attempts(offences.CHECK_JOB) == attempts(check.JOB) == {1}


def stop(worker: Worker) -> float:
    asked = time.monotonic()
    worker.process.send_signal(signal.SIGTERM)
    worker.process.wait(60)
    return time.monotonic() - asked


@pytest.mark.nightly
def test_a_stop_ends_a_search_in_postgresql_too_and_is_no_attempt(tmp_path: Path) -> None:
    with at_work(tmp_path / "notes", CHORES_SEARCH_SECONDS="600") as worker:
        wait_for(is_searching, seconds=240)
        assert stop(worker) < STOP_SECONDS
    assert not is_searching()
    slow = OffenceSearch.objects.get(name=SEARCHED)
    assert (slow.outcome, slow.attempts) == ("", 0)
    assert set(OffenceSearch.objects.exclude(pk=slow.pk).values_list("outcome", flat=True)) == {"clean"}
    job = Job.objects.get(kind=offences.CHECK_JOB, state="queued")
    assert job.attempts == 0
    assert searching.how_far(slow.run)[0] > 0
