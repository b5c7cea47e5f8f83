"""Decisions over a group from before their events were written down: what the migration makes of them."""

from importlib import import_module
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from core import told_of_many
from metering import bulk, quarantine
from metering.models import BulkDecision, QuarantinedEvent
from tests.builders import usage
from tests.builders.usage import EVENT_TYPE, NOON

pytestmark = pytest.mark.django_db
STEPS = import_module("metering.migrations.0023_events_of_a_decision_are_fixed").CARRY_OVER


@pytest.fixture
def ops() -> User:
    usage.house()
    return usage.person("opal", "ops")


def hold(count: int) -> list[QuarantinedEvent]:
    usage.capture(*[usage.event(f"e{number}", subject="newco") for number in range(count)])
    return list(QuarantinedEvent.objects.order_by("pk"))


def decide(ops: User, **facts: Any) -> BulkDecision:
    """A row as it was written before."""
    target = {"code": "customer_unknown", "source": "api/eu", "event_type": EVENT_TYPE}
    told = told_of_many.tell_of_many("No customer.", about=[])
    made = BulkDecision.objects.create(**target, reason=told, started_by=ops, started_at=NOON, **facts)
    return BulkDecision.objects.get(pk=made.pk)


def discard(ops: User, *events: QuarantinedEvent, reason: str) -> None:
    for event in events:
        quarantine.discard_event(quarantine_id=event.pk, actor=ops, reason=reason, at=NOON)


def carry_over() -> None:
    """As the migration does, before the triggers of its table are made."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE metering_bulkdecisionitem DISABLE TRIGGER USER")
        for step in STEPS:
            cursor.execute(step)
        cursor.execute("ALTER TABLE metering_bulkdecisionitem ENABLE TRIGGER USER")


def numbers(decision: BulkDecision) -> tuple[int, int, int, int]:
    decision.refresh_from_db()
    return decision.total, decision.discarded, decision.taken_up, decision.passed_over


def test_what_a_decision_discarded_can_still_be_taken_up_and_nothing_else(ops: User) -> None:
    one, two, by_hand = hold(3)
    made = decide(ops, action="discard", up_to_id=by_hand.pk, total=3)
    discard(ops, one, two, reason=made.reason)
    discard(ops, by_hand, reason="A test of ours.")
    BulkDecision.objects.filter(pk=made.pk).update(discarded=2, passed_over=1, last_id=two.pk, finished_at=NOON)
    carry_over()
    assert numbers(made) == (3, 2, 0, 1)
    assert set(bulk.discarded_by(made)) == {one, two}


def test_a_decision_at_work_ends_and_what_it_had_not_decided_waits_on(ops: User) -> None:
    one, two, three = hold(3)
    made = decide(ops, action="discard", up_to_id=three.pk, total=3)
    discard(ops, one, reason=made.reason)
    BulkDecision.objects.filter(pk=made.pk).update(discarded=1, last_id=one.pk)
    carry_over()
    assert numbers(made) == (3, 1, 0, 2)
    assert made.finished_at is not None
    bulk.go_on(decision_id=made.pk, at=NOON)  # the job that was queued
    assert list(QuarantinedEvent.objects.filter(status="open").order_by("pk")) == [two, three]
    assert set(bulk.discarded_by(made)) == {one}


def test_one_that_had_decided_over_more_than_there_were_ends(ops: User) -> None:
    one, two = hold(2)
    made = decide(ops, action="discard", up_to_id=two.pk, total=1)
    discard(ops, one, two, reason=made.reason)
    BulkDecision.objects.filter(pk=made.pk).update(discarded=2, last_id=two.pk)
    carry_over()
    assert numbers(made) == (2, 2, 0, 0)
    assert made.finished_at is not None
    assert set(bulk.discarded_by(made)) == {one, two}


def test_taking_up_again_goes_on_with_what_the_decision_discarded(ops: User) -> None:
    """Of three that it meant to take up one waits again, one is left, and one was discarded by hand."""
    one, two, by_hand = hold(3)
    made = decide(ops, action="discard", up_to_id=by_hand.pk, total=3)
    discard(ops, one, two, reason=made.reason)
    discard(ops, by_hand, reason="A test of ours.")
    BulkDecision.objects.filter(pk=made.pk).update(discarded=2, passed_over=1, last_id=two.pk, finished_at=NOON)
    undone = decide(ops, action="take_up", undoes=made, up_to_id=by_hand.pk, total=3)
    quarantine.take_up_again(quarantine_id=one.pk, actor=ops, reason="It is a customer.")
    BulkDecision.objects.filter(pk=undone.pk).update(taken_up=1, last_id=one.pk)
    carry_over()
    assert numbers(undone) == (3, 0, 1, 1)
    assert BulkDecision.objects.filter(pk=undone.pk, finished_at=None).exists()
    bulk.go_on(decision_id=undone.pk, at=NOON)
    assert numbers(undone) == (3, 0, 2, 1)
    assert undone.finished_at == NOON
    assert list(QuarantinedEvent.objects.filter(status="open").values_list("continues_id", flat=True)) == [
        two.pk,
        one.pk,
    ]
