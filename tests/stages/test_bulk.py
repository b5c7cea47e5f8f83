"""Decisions over a group: in the background, each event with its own history, and on where a killed job stopped."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from core import work
from core.errors import DomainError, InvalidInputError, NotAllowedError, NotFoundError
from core.models import AuditEntry, Job
from metering import bulk, quarantine
from metering.bulk import Target
from metering.models import BulkDecision, BulkDecisionItem, QuarantinedEvent, UsageEvent
from metering.store import groups
from tests.builders import guards, usage
from tests.builders.usage import EVENT_TYPE, NOON

pytestmark = pytest.mark.django_db
UNKNOWN = Target(code="customer_unknown", source="api/eu", event_type=EVENT_TYPE)


@pytest.fixture
def ops() -> User:
    usage.house()
    return usage.person("opal", "ops")


def hold(count: int, **changes: Any) -> None:
    prefix = changes.pop("prefix", "e")
    usage.capture(*[usage.event(f"{prefix}{number}", **{"subject": "newco", **changes}) for number in range(count)])


def start(actor: User, action: str = "release", target: Target = UNKNOWN) -> BulkDecision:
    return bulk.start_decision(target=target, action=action, reason="The customer is set up.", actor=actor, at=NOON)


def counts(decision: BulkDecision) -> tuple[int, int, int, int, int]:
    decision.refresh_from_db()
    return decision.accepted, decision.duplicates, decision.kept, decision.discarded, decision.passed_over


def test_what_waits_is_grouped_by_reason_source_and_type(ops: User) -> None:
    hold(3)
    hold(1)  # the same event once more
    hold(1, prefix="f", source="api/us")
    hold(2, prefix="g", type="other", subject="acme")
    found = [(one.code, one.source, one.event_type, one.events, one.times_seen) for one in groups.find_groups()]
    assert found == [
        ("customer_unknown", "api/eu", EVENT_TYPE, 3, 4),
        ("type_unknown", "api/eu", "other", 2, 2),
        ("customer_unknown", "api/us", EVENT_TYPE, 1, 1),
    ]
    assert groups.count_subjects(code="customer_unknown", source="api/eu", event_type=EVENT_TYPE) == [("newco", 3)]


def test_a_group_is_released_once_its_cause_is_gone(ops: User) -> None:
    hold(45)
    usage.customer("newco")
    decision = start(ops)
    assert (decision.total, decision.done, decision.finished_at) == (45, 0, None)
    work.run_due_jobs(at=NOON)
    assert counts(decision) == (45, 0, 0, 0, 0)
    assert decision.finished_at is not None
    assert UsageEvent.objects.count() == 45
    event = QuarantinedEvent.objects.latest("pk")
    assert (event.status, event.decided_by, event.decision_reason) == ("released", ops, "The customer is set up.")
    assert event.history.latest().history_user == ops
    assert AuditEntry.objects.filter(action="quarantine.bulk_decision").count() == 1


def test_what_still_breaks_a_rule_waits_on_with_its_new_reason(ops: User) -> None:
    hold(2)
    hold(1, prefix="f", type="other")
    usage.customer("newco")
    usage.capture(usage.event("e1", subject="newco"))
    decision = start(ops)
    work.run_due_jobs(at=NOON)
    assert counts(decision) == (1, 1, 0, 0, 0)
    assert QuarantinedEvent.objects.filter(status="open").count() == 1
    hold(1, prefix="g", subject="another")
    again = start(ops)
    work.run_due_jobs(at=NOON)
    assert counts(again) == (0, 0, 1, 0, 0)


def test_a_group_is_discarded_and_stays_on_record(ops: User) -> None:
    hold(3)
    decision = start(ops, action="discard")
    work.run_due_jobs(at=NOON)
    assert counts(decision) == (0, 0, 0, 3, 0)
    assert set(QuarantinedEvent.objects.values_list("status", "decision_reason")) == {
        ("discarded", "The customer is set up.")
    }


def test_one_subject_of_a_group_can_be_decided_by_itself(ops: User) -> None:
    hold(2)
    hold(3, prefix="f", subject="other-co")
    decision = start(
        ops,
        action="discard",
        target=Target(code="customer_unknown", source="api/eu", event_type=EVENT_TYPE, subject="other-co"),
    )
    work.run_due_jobs(at=NOON)
    assert counts(decision) == (0, 0, 0, 3, 0)
    assert QuarantinedEvent.objects.filter(status="open").count() == 2


def test_events_that_come_later_are_not_part_of_it(ops: User) -> None:
    hold(2)
    decision = start(ops, action="discard")
    hold(2, prefix="late")
    work.run_due_jobs(at=NOON)
    assert counts(decision) == (0, 0, 0, 2, 0)
    assert QuarantinedEvent.objects.filter(status="open").count() == 2


def test_an_event_that_somebody_else_decided_meanwhile_is_passed_over(ops: User) -> None:
    hold(3)
    decision = start(ops, action="discard")
    first = QuarantinedEvent.objects.earliest("pk")
    quarantine.discard_event(quarantine_id=first.pk, actor=ops, reason="by hand", at=NOON)
    work.run_due_jobs(at=NOON)
    assert counts(decision) == (0, 0, 0, 2, 1)


def test_an_event_that_joins_the_group_later_is_no_event_of_the_decision(ops: User) -> None:
    """Two older events of the type come to wait for the same reason while the decision is at work: they wait on."""
    hold(2, prefix="old", type="other")
    usage.contract("other")
    hold(2, type="other")
    target = Target(code="customer_unknown", source="api/eu", event_type="other")
    decision = start(ops, action="discard", target=target)
    check_again = start(ops, target=Target(code="type_unknown", source="api/eu", event_type="other"))
    bulk.go_on(decision_id=check_again.pk, at=NOON)
    assert counts(check_again) == (0, 0, 2, 0, 0)
    assert bulk.waiting(target).count() == 4
    work.run_due_jobs(at=NOON)
    assert counts(decision) == (0, 0, 0, 2, 0)
    assert decision.finished_at is not None
    assert list(bulk.waiting(target).values_list("event_id", flat=True)) == ["old0", "old1"]


@pytest.mark.parametrize("action", ["discard", "release"])
def test_an_event_that_waits_for_another_reason_meanwhile_is_passed_over(ops: User, action: str) -> None:
    """Sent again once its customer is known, it waits for what else is wrong, which nobody has looked at."""
    hold(2, data={"input_tokens": -1})
    decision = start(ops, action=action)
    usage.customer("newco")
    hold(1, data={"input_tokens": -1})
    work.run_due_jobs(at=NOON)
    assert counts(decision) == ((0, 0, 0, 1, 1) if action == "discard" else (0, 0, 1, 0, 1))
    assert QuarantinedEvent.objects.get(event_id="e0").status == "open"


def test_which_events_it_is_over_and_what_became_of_each_is_fixed(ops: User) -> None:
    hold(2)
    decision = start(ops, action="discard")
    first, second = QuarantinedEvent.objects.order_by("pk")
    hold(1, prefix="late")
    late = QuarantinedEvent.objects.latest("pk")
    add = "INSERT INTO metering_bulkdecisionitem (decision_id, event_id, outcome) VALUES (%s, %s, '')"
    assert guards.refuses(add, [decision.pk, late.pk])
    move = "UPDATE metering_bulkdecisionitem SET event_id = %s WHERE event_id = %s"
    assert guards.refuses(move, [late.pk, first.pk])
    quarantine.discard_event(quarantine_id=first.pk, actor=ops, reason="by hand", at=NOON)
    work.run_due_jobs(at=NOON)
    outcomes = decision.items.order_by("event_id").values_list("event_id", "outcome")
    assert list(outcomes) == [(first.pk, "passed_over"), (second.pk, "discarded")]
    assert guards.refuses("UPDATE metering_bulkdecisionitem SET outcome = 'kept'")
    assert guards.keeps_its_rows(BulkDecisionItem)


def test_a_killed_job_goes_on_after_the_last_few_events(ops: User, monkeypatch: pytest.MonkeyPatch) -> None:
    hold(30)
    usage.customer("newco")
    decision = start(ops)
    monkeypatch.setattr(bulk, "EVENTS_AT_ONCE", 4)
    release, seen = quarantine.release_event, []

    def die_at_the_tenth(**arguments: Any) -> Any:
        seen.append(arguments)
        if len(seen) == 10:
            raise MemoryError
        return release(**arguments)

    with monkeypatch.context() as patch:
        patch.setattr(quarantine, "release_event", die_at_the_tenth)
        work.run_due_jobs(at=NOON)
    assert counts(decision) == (8, 0, 0, 0, 0)  # the third few were rolled back
    assert UsageEvent.objects.count() == 8
    work.run_due_jobs(at=Job.objects.get().run_after)
    assert counts(decision) == (30, 0, 0, 0, 0)
    assert UsageEvent.objects.count() == 30


@pytest.mark.parametrize("status", [503, 500])
def test_while_a_store_is_away_the_job_tries_again(ops: User, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    """Nothing is passed over that nobody has decided: the few are rolled back, and the job comes later."""

    class AwayError(DomainError):
        code = "clickhouse_unreachable"
        http_status = status

    hold(3)
    usage.customer("newco")
    decision = start(ops)
    release, seen = quarantine.release_event, []

    def away_at_the_second(**arguments: Any) -> Any:
        seen.append(arguments)
        if len(seen) == 2:
            raise AwayError("The store does not answer.")
        return release(**arguments)

    with monkeypatch.context() as patch:
        patch.setattr(quarantine, "release_event", away_at_the_second)
        work.run_due_jobs(at=NOON)
    assert counts(decision) == (0, 0, 0, 0, 0)
    assert decision.finished_at is None
    job = Job.objects.get()
    assert (job.state, job.attempts) == ("queued", 1)
    assert "The store does not answer." in job.last_error
    work.run_due_jobs(at=job.run_after)
    assert counts(decision) == (3, 0, 0, 0, 0)


def test_a_large_group_is_a_chain_of_jobs(ops: User, monkeypatch: pytest.MonkeyPatch) -> None:
    hold(10)
    monkeypatch.setattr(bulk, "EVENTS_AT_ONCE", 2)
    monkeypatch.setattr(bulk, "STEPS_MAX", 2)
    decision = start(ops, action="discard")
    for _ in range(3):  # each job queues the next one at its own time
        work.run_due_jobs(at=timezone.now())
    assert counts(decision) == (0, 0, 0, 10, 0)
    assert set(Job.objects.values_list("state", flat=True)) == {"done"}
    assert Job.objects.count() == 3


def test_who_may_decide_and_with_what(ops: User) -> None:
    with pytest.raises(NotFoundError):
        start(ops)
    hold(1)
    with pytest.raises(NotAllowedError):
        start(usage.person("fiona", "finance"))
    with pytest.raises(InvalidInputError):
        start(ops, action="forget")
    with pytest.raises(InvalidInputError):
        bulk.start_decision(target=UNKNOWN, action="discard", reason=" ", actor=ops, at=NOON)
    start(ops)
    assert guards.refuses("UPDATE metering_bulkdecision SET reason = 'another'")
    assert guards.refuses("DELETE FROM metering_bulkdecision")


class TestTakingUpAgain:
    def discard(self, ops: User, count: int = 3) -> BulkDecision:
        hold(count)
        made = start(ops, action="discard")
        work.run_due_jobs(at=NOON)
        return made

    def test_a_discard_is_taken_back_and_both_stay_on_record(self, ops: User) -> None:
        """The customer was real after all: three events wait again, are released, and keep the time they came."""
        made = self.discard(ops)
        undone = bulk.undo_discard(decision_id=made.pk, reason="It is a customer.", actor=ops, at=NOON)
        work.run_due_jobs(at=NOON)
        undone.refresh_from_db()
        assert (undone.total, undone.taken_up, undone.passed_over) == (3, 3, 0)
        assert undone.finished_at is not None
        states = QuarantinedEvent.objects.order_by("pk").values_list("status", "decision_reason")
        assert list(states) == [("discarded", "The customer is set up.")] * 3 + [("open", "")] * 3
        again = QuarantinedEvent.objects.latest("pk")
        assert again.continues is not None
        assert (again.raw, again.received_at) == (again.continues.raw, again.continues.received_at)
        assert again.history.latest().history_user == ops
        usage.customer("newco")
        start(ops)
        work.run_due_jobs(at=NOON)
        assert UsageEvent.objects.count() == 3

    def test_what_its_author_discarded_by_hand_meanwhile_stays_discarded(self, ops: User) -> None:
        hold(3)
        made = start(ops, action="discard")
        by_hand = QuarantinedEvent.objects.earliest("pk")
        quarantine.discard_event(quarantine_id=by_hand.pk, actor=ops, reason="A test of ours.", at=NOON)
        work.run_due_jobs(at=NOON)
        undone = bulk.undo_discard(decision_id=made.pk, reason="It is a customer.", actor=ops, at=NOON)
        work.run_due_jobs(at=NOON)
        assert counts(made) == (0, 0, 0, 2, 1)
        undone.refresh_from_db()
        assert (undone.total, undone.taken_up, undone.passed_over) == (2, 2, 0)
        assert not QuarantinedEvent.objects.filter(continues=by_hand).exists()

    def test_it_is_taken_back_once_and_only_a_finished_discard(self, ops: User) -> None:
        made = self.discard(ops)
        bulk.undo_discard(decision_id=made.pk, reason="It is a customer.", actor=ops, at=NOON)
        hold(1, prefix="f")
        running = start(ops, action="discard")
        for number in (made.pk, running.pk):
            with pytest.raises(quarantine.NotDiscardedError):
                bulk.undo_discard(decision_id=number, reason="It is a customer.", actor=ops, at=NOON)
        with pytest.raises(NotAllowedError):
            bulk.undo_discard(decision_id=made.pk, reason="no", actor=usage.person("fay", "finance"), at=NOON)

    def test_what_was_sent_again_since_waits_already(self, ops: User) -> None:
        made = self.discard(ops)
        hold(1)
        undone = bulk.undo_discard(decision_id=made.pk, reason="It is a customer.", actor=ops, at=NOON)
        work.run_due_jobs(at=NOON)
        undone.refresh_from_db()
        assert (undone.taken_up, undone.passed_over) == (2, 1)
        assert QuarantinedEvent.objects.filter(status="open").count() == 3

    def test_one_event_is_taken_up_once(self, ops: User) -> None:
        self.discard(ops, 1)
        (event,) = QuarantinedEvent.objects.all()
        quarantine.take_up_again(quarantine_id=event.pk, reason="It is a customer.", actor=ops)
        with pytest.raises(quarantine.NotDiscardedError):
            quarantine.take_up_again(quarantine_id=event.pk, reason="Once more.", actor=ops)
