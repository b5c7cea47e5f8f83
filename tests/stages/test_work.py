"""Background work: queued with its cause, counted before it runs, given up after its last attempt."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django_q.models import OrmQ

from core import heartbeats, job_rows, long_work, recurring, tasks, work
from core.models import Job, WorkerHeartbeat

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the handlers of this test did, in order."""
    seen: list[int] = []

    def note(*, number: int) -> None:
        seen.append(number)

    def fail(*, number: int) -> None:
        seen.append(number)
        raise RuntimeError(f"number {number}\x00 cannot be done")

    monkeypatch.setattr(work, "_handlers", {})
    monkeypatch.setattr(recurring, "_intervals", {})
    monkeypatch.setattr(recurring, "_due", {})
    work.handles("note")(note)
    work.handles("fail", attempts_max=2)(fail)
    return seen


def enqueue(kind: str = "note", key: str = "1", **arguments: Any) -> None:
    work.enqueue(kind=kind, key=key, arguments=arguments or {"number": int(key)}, at=NOW)


def end_lease(job_id: int) -> None:
    Job.objects.filter(pk=job_id).update(leased_until=NOW - timedelta(days=365))


def test_queued_work_is_done_once(done: list[int]) -> None:
    enqueue()
    assert work.run_due_jobs(at=NOW) == 1
    assert work.run_due_jobs(at=NOW) == 0
    assert done == [1]
    job = Job.objects.get()
    assert (job.state, job.attempts, job.leased_until) == ("done", 1, None)
    assert job.finished_at is not None


def test_long_work_is_left_to_processes_of_its_own(done: list[int]) -> None:
    work.handles("long", is_long=True)(lambda *, number: done.append(-number))
    for number in (1, 2):
        enqueue("long", str(number))
        enqueue("note", str(number))
    assert job_rows.due_kinds(among=work.long_kinds(), at=NOW - timedelta(seconds=1)) == []
    assert job_rows.due_kinds(among=work.long_kinds(), at=NOW) == ["long"]
    tasks.drain()
    assert done == [1, 2]
    long_work.take_long_work("long")
    assert done == [1, 2, -1, -2]
    assert job_rows.due_kinds(among=work.long_kinds(), at=NOW) == []


def test_what_a_stopped_worker_had_in_hand_waits_again_with_all_its_attempts(done: list[int]) -> None:
    enqueue()
    enqueue(key="2")
    for worker in ("stopped", "other"):
        assert job_rows.take_lease(worker=worker, at=NOW) is not None
    assert job_rows.hand_back(worker="stopped") == 1
    found = Job.objects.order_by("pk").values_list("state", "attempts", "leased_by")
    assert list(found) == [("queued", 0, "stopped"), ("leased", 1, "other")]


def test_work_is_done_in_the_order_it_became_due(done: list[int]) -> None:
    for key in ("3", "1", "2"):
        enqueue(key=key)
    work.run_due_jobs(at=NOW)
    assert done == [3, 1, 2]


def test_work_rolls_back_with_its_cause(done: list[int]) -> None:
    with transaction.atomic():
        enqueue()
        transaction.set_rollback(True)
    assert work.run_due_jobs(at=NOW) == 0
    assert done == []


def test_the_same_work_is_queued_once_while_it_is_open(done: list[int]) -> None:
    enqueue()
    enqueue()
    assert work.run_due_jobs(at=NOW) == 1
    enqueue()
    assert work.run_due_jobs(at=NOW) == 1
    assert done == [1, 1]


def test_work_of_an_unknown_kind_is_refused(done: list[int]) -> None:
    with pytest.raises(KeyError):
        enqueue(kind="unheard of")
    assert not Job.objects.exists()


def test_two_handlers_for_one_kind_are_refused(done: list[int]) -> None:
    with pytest.raises(ValueError, match="note"):
        work.handles("note")(lambda: None)


def test_failed_work_waits_and_is_given_up_after_its_last_attempt(done: list[int]) -> None:
    enqueue(kind="fail", key="7")
    assert work.run_due_jobs(at=NOW) == 1
    assert work.run_due_jobs(at=NOW + timedelta(seconds=9)) == 0
    assert Job.objects.get().run_after == NOW + timedelta(seconds=10)
    assert work.run_due_jobs(at=NOW + timedelta(seconds=10)) == 1
    assert work.run_due_jobs(at=NOW + timedelta(days=1)) == 0
    job = Job.objects.get()
    assert (job.state, job.attempts) == ("dead", 2)
    assert job.last_error == "RuntimeError: number 7 cannot be done"
    assert done == [7, 7]


def test_one_failure_does_not_stop_the_others(done: list[int]) -> None:
    enqueue(kind="fail", key="7")
    enqueue(key="8")
    work.run_due_jobs(at=NOW)
    assert done == [7, 8]


def test_given_up_work_can_be_queued_again_by_a_person(done: list[int]) -> None:
    enqueue(kind="fail", key="7")
    for day in (0, 1):
        work.run_due_jobs(at=NOW + timedelta(days=day))
    job = Job.objects.get()
    work.retry_dead_job(job_id=job.pk, at=NOW + timedelta(days=2))
    job.refresh_from_db()
    assert (job.state, job.attempts, job.finished_at) == ("queued", 0, None)
    with pytest.raises(work.NotGivenUpError):
        work.retry_dead_job(job_id=job.pk, at=NOW)


def test_given_up_work_is_not_queued_beside_the_same_open_work(done: list[int]) -> None:
    enqueue(kind="fail", key="7")
    for day in (0, 1):
        work.run_due_jobs(at=NOW + timedelta(days=day))
    dead = Job.objects.get()
    enqueue(kind="fail", key="7")
    with pytest.raises(work.NotGivenUpError, match="already"):
        work.retry_dead_job(job_id=dead.pk, at=NOW)


def test_leased_work_is_not_taken_by_another_before_the_lease_ends(done: list[int]) -> None:
    enqueue()
    assert job_rows.take_lease(worker="a", at=NOW) is not None
    assert job_rows.take_lease(worker="b", at=NOW) is None


def test_work_of_a_dead_worker_is_taken_again_when_its_lease_ends(done: list[int]) -> None:
    enqueue()
    first = job_rows.take_lease(worker="a", at=NOW)
    assert first is not None
    end_lease(first.job_id)
    assert work.run_due_jobs(at=NOW) == 1
    assert done == [1]
    assert Job.objects.get().attempts == 2


def test_an_earlier_holder_can_neither_finish_nor_fail_the_work(done: list[int]) -> None:
    enqueue()
    first = job_rows.take_lease(worker="a", at=NOW)
    assert first is not None
    end_lease(first.job_id)
    second = job_rows.take_lease(worker="b", at=NOW)
    assert second is not None
    assert not job_rows.finish(first)
    assert not job_rows.extend_lease(first)
    assert not job_rows.put_back(first, run_after=NOW, error="late")
    assert not job_rows.bury(first, error="late")
    assert Job.objects.get().state == "leased"
    assert job_rows.finish(second)


def test_work_that_takes_its_worker_along_every_time_is_given_up(done: list[int]) -> None:
    enqueue()
    for _ in range(3):
        lease = job_rows.take_lease(worker="a", at=NOW)
        assert lease is not None
        end_lease(lease.job_id)
    assert work.run_due_jobs(at=NOW) == 0
    job = Job.objects.get()
    assert (job.state, job.attempts, job.last_error) == ("dead", 3, job_rows.WORKER_DIED)
    assert done == []


def test_the_leases_of_a_worker_that_was_replaced_end_at_once(done: list[int]) -> None:
    enqueue(key="1")
    enqueue(key="2")
    job_rows.take_lease(worker="gone", at=NOW)
    job_rows.take_lease(worker="alive", at=NOW)
    assert job_rows.end_leases(worker="gone") == 1
    assert work.run_due_jobs(at=NOW) == 1
    assert done == [1]


def test_a_lease_without_an_end_is_refused_by_the_database(done: list[int]) -> None:
    enqueue()
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.update(state="leased")
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.update(state="done")


def test_enqueueing_wakes_every_live_worker_once(done: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_workerheartbeat VALUES ('a', clock_timestamp()), ('b', clock_timestamp()),"
            " ('gone', clock_timestamp() - interval '2 minutes')"
        )
    enqueue(key="1")
    enqueue(key="2")
    assert sorted(OrmQ.objects.values_list("key", flat=True)) == ["a", "b"]
    heartbeats.forget("a")
    assert list(OrmQ.objects.values_list("key", flat=True)) == ["b"]
    assert not WorkerHeartbeat.objects.filter(name="a").exists()


def test_a_round_does_what_is_due_and_gives_a_sign_of_life(done: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BILLING_OPS_WORKER", "here")
    assert heartbeats.silent_seconds("here") is None
    enqueue(key="1")
    enqueue(key="2")
    tasks.drain()
    assert done == [1, 2]
    silence = heartbeats.silent_seconds("here")
    assert silence is not None
    assert 0 <= silence < 60


@pytest.mark.django_db(transaction=True)
def test_work_outside_a_transaction_is_refused(done: list[int]) -> None:
    with pytest.raises(transaction.TransactionManagementError):
        enqueue()
