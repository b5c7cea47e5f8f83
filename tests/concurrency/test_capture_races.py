"""Deliveries that race: real processes, committed transactions, and every event counted once."""

import multiprocessing
import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from core import locks
from metering import ingest, quarantine
from metering.ingest import CaptureResult
from metering.models import CaptureBatch, EventCorrection, EventKey, QuarantinedEvent, UsageEvent
from metering.quarantine import AlreadyDecidedError
from tests.builders import racing, usage
from tests.builders.usage import NOON

pytestmark = pytest.mark.django_db(transaction=True)
SENDERS = 8
EVENTS = 300


@pytest.fixture(autouse=True)
def house() -> None:
    usage.house()


def together(work: Callable[[int], None], senders: int = SENDERS) -> None:
    """Run the work in as many processes, all starting at the same moment."""
    barrier = multiprocessing.get_context("fork").Barrier(senders, timeout=60)

    def one(number: int) -> Callable[[], None]:
        def start() -> None:
            barrier.wait()
            work(number)

        return start

    racing.run_together(*(one(number) for number in range(senders)))


def send(events: list[dict[str, Any]]) -> CaptureResult:
    return ingest.capture_events(events, channel="http", origin="race", at=NOON)


def totals() -> tuple[int, int, int]:
    batches = CaptureBatch.objects.all()
    return (
        sum(batch.accepted for batch in batches),
        sum(batch.duplicates for batch in batches),
        sum(batch.quarantined for batch in batches),
    )


def test_eight_senders_of_the_same_events_count_them_once() -> None:
    events = [usage.event(str(number)) for number in range(EVENTS)]

    def send_all(number: int) -> None:
        shuffled = random.Random(number).sample(events, EVENTS)  # noqa: S311 - only an order
        for start in range(0, EVENTS, 50):
            send(shuffled[start : start + 50])

    together(send_all)
    assert UsageEvent.objects.count() == EventKey.objects.count() == EVENTS
    assert totals() == (EVENTS, EVENTS * (SENDERS - 1), 0)


def test_of_conflicting_bodies_exactly_one_is_accepted_and_the_others_are_held_back() -> None:
    def send_mine(number: int) -> None:
        data = {"input_tokens": number, "output_tokens": 1}
        send([usage.event(str(event), data=data) for event in range(100)])

    together(send_mine)
    assert UsageEvent.objects.count() == EventKey.objects.count() == 100
    assert totals() == (100, 0, 100 * (SENDERS - 1))
    assert QuarantinedEvent.objects.count() == 100 * (SENDERS - 1)
    assert {reason["code"] for event in QuarantinedEvent.objects.all() for reason in event.reasons} == {"conflict"}


def test_a_delivery_that_is_rolled_back_leaves_its_identities_free() -> None:
    both_sent = multiprocessing.get_context("fork").Barrier(2, timeout=60)

    def fail() -> None:
        with transaction.atomic():
            send([usage.event("a", data={"input_tokens": 1, "output_tokens": 1})])
            both_sent.wait()
            transaction.set_rollback(True)

    def retry() -> None:
        both_sent.wait()
        assert send([usage.event("a", data={"input_tokens": 2, "output_tokens": 1})]).accepted == 1

    racing.run_together(fail, retry)
    assert UsageEvent.objects.get().data["input_tokens"] == 2


def test_the_same_bad_event_from_eight_senders_is_one_row() -> None:
    events = [usage.event(str(number), subject="nobody") for number in range(50)]

    def send_all(number: int) -> None:
        send(random.Random(number).sample(events, len(events)))  # noqa: S311 - only an order

    together(send_all)
    assert list(QuarantinedEvent.objects.values_list("times_seen", flat=True)) == [SENDERS] * 50
    assert totals() == (0, 0, 50 * SENDERS)


def test_a_held_event_is_released_once_however_many_press_the_button() -> None:
    send([usage.event(str(number), subject="newco") for number in range(20)])
    usage.customer("newco")
    ids = list(QuarantinedEvent.objects.order_by("pk").values_list("pk", flat=True))

    def release_all(number: int) -> None:
        actor = usage.User.objects.get(username="enza")
        for quarantine_id in ids:
            try:
                quarantine.release_event(quarantine_id=quarantine_id, actor=actor, at=NOON)
            except AlreadyDecidedError:
                continue

    together(release_all, senders=4)
    assert UsageEvent.objects.count() == 20
    assert CaptureBatch.objects.filter(channel="release").count() == 20
    assert set(QuarantinedEvent.objects.values_list("status", flat=True)) == {"released"}


def test_a_release_races_with_a_resend_and_one_of_them_counts() -> None:
    send([usage.event(str(number), subject="newco") for number in range(40)])
    usage.customer("newco")
    ids = list(QuarantinedEvent.objects.order_by("pk").values_list("pk", flat=True))
    barrier = multiprocessing.get_context("fork").Barrier(2, timeout=60)

    def release_all() -> None:
        actor = usage.User.objects.get(username="enza")
        for quarantine_id in ids:
            barrier.wait()
            quarantine.release_event(quarantine_id=quarantine_id, actor=actor, at=NOON)

    def resend_all() -> None:
        for number in range(40):
            barrier.wait()
            send([usage.event(str(number), subject="newco")])

    racing.run_together(release_all, resend_all)
    assert UsageEvent.objects.count() == EventKey.objects.count() == 40
    assert set(QuarantinedEvent.objects.values_list("status", flat=True)) == {"released"}


def test_numbers_are_drawn_under_the_shared_lock() -> None:
    """Whoever holds the lock alone sees every event up to the last number: nothing can appear below it later."""
    stop = multiprocessing.get_context("fork").Event()

    def send_on(number: int) -> None:
        for batch in range(40):
            send([usage.event(f"{number}-{batch}-{event}") for event in range(20)])
        stop.set()

    def look() -> None:
        seen: dict[int, int] = {}
        while not stop.is_set():
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(7101, 0)")
                cursor.execute("SELECT coalesce(max(seq), 0), count(*) FROM metering_usageevent")
                last, count = cursor.fetchone()
            seen[last] = count
        for last, count in seen.items():
            assert UsageEvent.objects.filter(seq__lte=last).count() == count

    racing.run_together(lambda: send_on(1), lambda: send_on(2), lambda: send_on(3), look)
    assert UsageEvent.objects.count() == 3 * 40 * 20


def test_a_delivery_waits_for_whoever_holds_capture_up_and_is_stored_then() -> None:
    held, sent = (multiprocessing.get_context("fork").Event() for _ in range(2))

    def hold() -> None:
        with transaction.atomic():
            locks.lock_exclusive(locks.LockClass.CAPTURE)
            held.set()
            assert not sent.wait(1)  # nobody is told that it was stored while we stand in the way
            assert UsageEvent.objects.count() == 0

    def capture() -> None:
        held.wait(60)
        assert send([usage.event("a"), usage.event("b")]).accepted == 2
        sent.set()

    racing.run_together(hold, capture)
    assert UsageEvent.objects.count() == EventKey.objects.count() == 2
    assert totals() == (2, 0, 0)


def test_a_delivery_waits_for_one_that_brings_the_same_event_and_finds_it_known() -> None:
    brought = multiprocessing.get_context("fork").Barrier(2, timeout=60)

    def bring() -> None:
        with transaction.atomic():
            assert send([usage.event("b")]).accepted == 1
            brought.wait()
            time.sleep(0.5)

    def send_both() -> None:
        brought.wait()
        result = send([usage.event("a"), usage.event("b")])
        assert (result.accepted, result.duplicates) == (1, 1)

    racing.run_together(bring, send_both)
    assert UsageEvent.objects.count() == EventKey.objects.count() == 2
    assert totals() == (2, 1, 0)


def test_of_many_corrections_of_one_event_one_is_accepted() -> None:
    send([usage.event(str(number)) for number in range(25)])

    def correct_all(sender: int) -> None:
        data = {"input_tokens": sender, "output_tokens": 1}
        order = random.Random(sender).sample(range(25), 25)  # noqa: S311 - only an order
        for start in range(0, 25, 5):
            send(
                [
                    usage.event(f"{number} by {sender}", corrects=str(number), correction="amend", data=data)
                    for number in order[start : start + 5]
                ]
            )

    together(correct_all)
    assert EventCorrection.objects.count() == 25
    assert totals() == (50, 0, 25 * (SENDERS - 1))
    assert UsageEvent.objects.count() == EventKey.objects.count() == 50
    reasons = [reason["code"] for event in QuarantinedEvent.objects.all() for reason in event.reasons]
    assert reasons == ["corrected_before"] * 25 * (SENDERS - 1)


def test_the_same_correction_from_eight_senders_is_counted_once() -> None:
    send([usage.event(str(number)) for number in range(40)])
    cancellations = [usage.event(f"x{number}", corrects=str(number), correction="cancel") for number in range(40)]

    def cancel_all(sender: int) -> None:
        send(random.Random(sender).sample(cancellations, 40))  # noqa: S311 - only an order

    together(cancel_all)
    assert totals() == (80, 40 * (SENDERS - 1), 0)
    assert EventCorrection.objects.filter(kind="cancelled").count() == 40


def test_a_plain_event_and_a_correction_that_race_for_one_identity_leave_one_of_them() -> None:
    send([usage.event(str(number)) for number in range(40)])
    barrier = multiprocessing.get_context("fork").Barrier(2, timeout=60)

    def send_each(**attributes: Any) -> Callable[[], None]:
        def start() -> None:
            for number in range(40):
                extra = {"corrects": str(number), **attributes} if attributes else {}
                event = usage.event(f"new {number}", **extra)
                barrier.wait()
                send([event])

        return start

    racing.run_together(send_each(), send_each(correction="cancel"))
    assert totals() == (80, 0, 40)
    kept = UsageEvent.objects.filter(extras__correction="cancel").count()
    assert EventCorrection.objects.filter(kind="cancels").count() == kept
