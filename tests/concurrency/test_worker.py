"""The worker as processes: it works, stops cleanly, and comes back whatever is killed."""

import os
import random
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import transaction
from django.db.models import QuerySet
from django_q.models import OrmQ

from core import work
from core.models import Job, WorkerHeartbeat
from tests.builders.chores import tasks as chores
from tests.builders.working import Worker, at_work, wait_for

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
BRIEF = {"CHORES_JOB_SECONDS": "4", "CHORES_QUEUE_SECONDS": "8"}
STOP_SECONDS = 20  # eight for jobs in hand, and what a busy machine adds


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    with at_work(tmp_path / "notes") as started:
        yield started


def enqueue(kind: str, number: int, **more: int) -> None:
    with transaction.atomic():
        work.enqueue(kind=f"{chores.PREFIX}{kind}", key=str(number), arguments={"number": number, **more}, at=NOW)


def chore_jobs() -> QuerySet[Job]:
    """The jobs of this file; a worker has recurring ones of its own."""
    return Job.objects.filter(kind__startswith=chores.PREFIX)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_work_is_done_and_a_stop_leaves_nothing_behind(worker: Worker) -> None:
    for number in range(20):
        enqueue("good", number)
    wait_for(lambda: chore_jobs().filter(state="done").count() == 20, seconds=20)
    assert sorted(worker.lines()) == sorted(f"good {number}" for number in range(20))
    children = worker.children()
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(30) == 0
    assert children
    assert not [pid for pid in children if is_alive(pid)]
    assert not WorkerHeartbeat.objects.exists()
    assert not OrmQ.objects.exists()


def test_a_running_job_is_finished_before_the_stop(worker: Worker) -> None:
    enqueue("slow", 1, milliseconds=4000)
    wait_for(lambda: worker.lines() == ["begun 1"], seconds=20)
    worker.process.send_signal(signal.SIGINT)
    assert worker.process.wait(30) == 0
    assert worker.lines() == ["begun 1", "ended 1"]
    assert chore_jobs().get().state == "done"


def stop(worker: Worker) -> float:
    """How many seconds a stop takes."""
    asked = time.monotonic()
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(60) == 0
    return time.monotonic() - asked


@pytest.mark.nightly
def test_a_stop_begins_nothing_new(worker: Worker) -> None:
    for number in range(30):
        enqueue("slow", number, milliseconds=1000)
    wait_for(lambda: bool(worker.lines()), seconds=20)
    assert stop(worker) < STOP_SECONDS
    begun = [line for line in worker.lines() if line.startswith("begun")]
    assert len(begun) < 12
    assert chore_jobs().filter(state="done").count() == len(begun)
    assert chore_jobs().filter(state="queued", attempts=0).count() == 30 - len(begun)


@pytest.mark.nightly
def test_work_in_slices_ends_its_slice_at_a_stop(worker: Worker) -> None:
    enqueue("sliced", 1)
    wait_for(lambda: worker.lines() == ["begun 1"], seconds=20)
    assert stop(worker) < STOP_SECONDS
    assert worker.lines() == ["begun 1", "ended 1"]
    assert chore_jobs().get().state == "done"


@pytest.mark.parametrize("kind", [pytest.param("slow", marks=pytest.mark.nightly), "long"])
def test_a_stop_does_not_wait_for_what_takes_long_and_loses_none_of_its_attempts(worker: Worker, kind: str) -> None:
    enqueue(kind, 1, milliseconds=60_000)
    wait_for(lambda: worker.lines() == ["begun 1"], seconds=40)
    children = worker.children()
    assert stop(worker) < STOP_SECONDS
    assert not [pid for pid in children if is_alive(pid)]
    job = chore_jobs().get()
    assert (job.state, job.attempts, job.leased_until) == ("queued", 0, None)


@pytest.mark.nightly
def test_long_work_outlasts_the_limit_of_a_job_and_is_in_the_way_of_nothing(tmp_path: Path) -> None:
    with at_work(tmp_path / "notes", WORKERS="1", **BRIEF) as worker:
        enqueue("long", 1, milliseconds=20_000)
        wait_for(lambda: worker.lines() == ["begun 1"], seconds=60)
        enqueue("good", 2)
        wait_for(lambda: "good 2" in worker.lines(), seconds=15)
        wait_for(lambda: chore_jobs().filter(state="done").count() == 2, seconds=40)
    assert worker.lines() == ["begun 1", "good 2", "ended 1"]
    assert chore_jobs().get(kind=f"{chores.PREFIX}long").attempts == 1


@pytest.mark.nightly
def test_a_job_longer_than_its_limit_takes_its_worker_along(tmp_path: Path) -> None:
    with at_work(tmp_path / "notes", WORKERS="1", **BRIEF) as worker:
        enqueue("slow", 1, milliseconds=60_000)
        wait_for(lambda: worker.lines().count("begun 1") == 2, seconds=60)
    assert "ended 1" not in worker.lines()


def test_a_killed_supervisor_takes_its_processes_along(worker: Worker) -> None:
    children = worker.children()
    assert len(children) > 3
    worker.process.kill()
    wait_for(lambda: not any(is_alive(pid) for pid in children), seconds=10)


@pytest.mark.nightly
def test_a_job_longer_than_its_lease_runs_once(worker: Worker) -> None:
    enqueue("slow", 1, milliseconds=14000)
    wait_for(lambda: chore_jobs().get().state == "done", seconds=40)
    assert worker.lines() == ["begun 1", "ended 1"]
    assert chore_jobs().get().attempts == 1


def test_work_resumes_when_an_idle_worker_is_killed(worker: Worker) -> None:
    os.kill(worker.children()[2], signal.SIGKILL)
    enqueue("good", 1)
    wait_for(lambda: worker.lines() == ["good 1"], seconds=45)


@pytest.mark.nightly
@pytest.mark.parametrize("turn", range(20))
def test_work_resumes_whichever_process_is_killed(worker: Worker, turn: int) -> None:
    children = worker.children()
    os.kill(children[turn % len(children)], signal.SIGKILL)
    enqueue("good", 1)
    wait_for(lambda: worker.lines() == ["good 1"], seconds=45)


@pytest.mark.nightly
def test_a_cluster_that_hangs_is_replaced(worker: Worker) -> None:
    for pid in worker.children():
        os.kill(pid, signal.SIGSTOP)
    enqueue("good", 1)
    wait_for(lambda: worker.lines() == ["good 1"], seconds=60)


def test_a_deadly_job_is_given_up_and_the_others_are_done(worker: Worker) -> None:
    enqueue("deadly", 1)
    for number in range(10):
        enqueue("good", number)
    wait_for(lambda: chore_jobs().filter(state="dead").exists(), seconds=120)
    wait_for(lambda: chore_jobs().filter(state="done").count() == 10, seconds=60)
    assert worker.lines().count("deadly 1") == 3
    assert sorted(line for line in worker.lines() if line.startswith("good")) == [f"good {n}" for n in range(10)]


@pytest.mark.nightly
def test_two_thousand_jobs_outlive_fifty_kills(worker: Worker) -> None:
    for number in range(4):
        enqueue("deadly", number)
    for number in range(1996):
        enqueue("slow", number, milliseconds=20)
    dice = random.Random(20261120)  # noqa: S311  which process dies is no secret
    for _ in range(50):
        victims = [pid for pid in worker.children()[2:] if is_alive(pid)]
        if victims:
            os.kill(dice.choice(victims), signal.SIGKILL)
        time.sleep(0.5)
    wait_for(lambda: not chore_jobs().filter(state__in=["queued", "leased"]).exists(), seconds=500)
    dead = set(chore_jobs().filter(state="dead").values_list("kind", "attempts"))
    assert dead == {("chore.deadly", 3)}
    assert chore_jobs().filter(state="done").count() == 1996
    lines = worker.lines()
    assert {line for line in lines if line.startswith("ended")} == {f"ended {number}" for number in range(1996)}
