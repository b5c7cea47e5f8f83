"""Decide over a whole group of quarantined events in the background, a few at a time, and go on after a crash."""

from collections import Counter
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Func, Max, QuerySet, TextField, Value

from accounts import roles
from accounts.roles import Role
from core import audit, told_of_many, work
from core.errors import DomainError, InvalidInputError, NotFoundError
from metering import quarantine
from metering.models import BulkDecision, QuarantinedEvent

BULK_JOB = "metering.bulk_decision"
# A release holds capture's lock to its commit, and whoever fixes a watermark waits for it.
EVENTS_AT_ONCE = 20
STEPS_MAX = 50  # of one job; the next one goes on
DECIDERS = (Role.ENGINEERING, Role.OPS)
Action = BulkDecision.Action
STARTED = (Action.RELEASE.value, Action.DISCARD.value)
TEXT = TextField()


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A group of events by first reason, source and type; with a subject, only those of it."""

    code: str
    source: str
    event_type: str
    subject: str | None = None


def waiting(target: Target) -> QuerySet[QuarantinedEvent]:
    """Give the events of a group that wait, the oldest first."""
    events = QuarantinedEvent.objects.filter(
        status=QuarantinedEvent.Status.OPEN,
        reasons__0__code=target.code,
        source=target.source,
        event_type=target.event_type,
    )
    if target.subject is not None:
        events = events.filter(subject=target.subject)
    return events.order_by("pk")


def discarded_by(decision: BulkDecision) -> QuerySet[QuarantinedEvent]:
    """Give the events that this decision discarded and nobody has taken up again since, the oldest first."""
    target = _target_of(decision)
    events = QuarantinedEvent.objects.filter(
        status=QuarantinedEvent.Status.DISCARDED,
        reasons__0__code=target.code,
        source=target.source,
        event_type=target.event_type,
        pk__lte=decision.up_to_id,
        decided_by=decision.started_by_id,
        decided_at__range=(decision.started_at, decision.finished_at),
        continued_by=None,
    )
    if target.subject is not None:
        events = events.filter(subject=target.subject)
    return events.order_by("pk")


def undo_discard(*, decision_id: int, reason: str, actor: Any, at: datetime) -> BulkDecision:
    """Have everything wait again that a finished decision discarded; once, in the background."""
    roles.require_role(actor, *DECIDERS, to="decide over quarantined events")
    if not reason.strip():
        raise InvalidInputError("Say why; the reason stays with every event.", pointer="/reason")
    with transaction.atomic():
        undone = BulkDecision.objects.select_for_update().filter(pk=decision_id).first()
        if undone is None:
            raise NotFoundError("There is no such decision.")
        if undone.action != Action.DISCARD or undone.finished_at is None or hasattr(undone, "undone_by"):
            raise quarantine.NotDiscardedError("Only a finished discard can be taken back, and only once.")
        events = discarded_by(undone)
        about = _people_of(events)
        made = BulkDecision.objects.create(
            action=Action.TAKE_UP,
            undoes=undone,
            up_to_id=undone.up_to_id,
            total=events.count(),
            reason=told_of_many.tell_of_many(reason.strip()[: quarantine.REASON_LENGTH_MAX], about=about),
            started_by=actor,
            started_at=at,
            **asdict(_target_of(undone)),
        )
        _note(made, actor=actor, at=at)
    return made


def start_decision(*, target: Target, action: str, reason: str, actor: Any, at: datetime) -> BulkDecision:
    """Decide over every event of the group that waits now; a job does it, and every event keeps its own history."""
    roles.require_role(actor, *DECIDERS, to="decide over quarantined events")
    if not reason.strip():
        raise InvalidInputError("Say why; the reason stays with every event.", pointer="/reason")
    if action not in STARTED:
        raise InvalidInputError(f"Choose one of {', '.join(STARTED)}.", pointer="/action")
    with transaction.atomic():
        events = waiting(target)
        last = events.aggregate(last=Max("pk"))["last"]
        if last is None:
            raise NotFoundError("Nothing of this group is waiting.")
        made = BulkDecision.objects.create(
            action=action,
            code=target.code,
            source=target.source,
            event_type=target.event_type,
            subject=target.subject,
            up_to_id=last,
            total=events.filter(pk__lte=last).count(),
            reason=told_of_many.tell_of_many(
                reason.strip()[: quarantine.REASON_LENGTH_MAX], about=_people_of(events.filter(pk__lte=last))
            ),
            started_by=actor,
            started_at=at,
        )
        _note(made, actor=actor, at=at)
    return made


def _note(made: BulkDecision, *, actor: Any, at: datetime) -> None:
    facts = {"action": made.action, "code": made.code, "type": made.event_type, "events": made.total}
    audit.append_entry(
        action="quarantine.bulk_decision", subject=f"bulk_decision:{made.pk}", actor=actor, facts=facts, at=at
    )
    _queue(made, at=at)


def _people_of(events: QuerySet[QuarantinedEvent]) -> set[int]:
    """The keys under which the bodies of these events lie, which are those of the customers whom they name."""
    tokens = events.filter(raw__startswith="sealed:1:").order_by()
    numbers = tokens.annotate(number=Func(F("raw"), Value(":"), Value(3), function="split_part", output_field=TEXT))
    return {int(number) for number in numbers.values_list("number", flat=True).distinct()}


def go_on(*, decision_id: int, at: datetime) -> None:
    """Decide over the next events, each few in a transaction that also notes how far it came."""
    for _step in range(STEPS_MAX):
        if _decide_some(decision_id, at=at):
            return
    with transaction.atomic():
        _queue(BulkDecision.objects.get(pk=decision_id), at=at)


def _queue(decision: BulkDecision, *, at: datetime) -> None:
    key = f"{decision.pk} after {decision.last_id}"
    work.enqueue(kind=BULK_JOB, key=key, arguments={"decision_id": decision.pk}, at=at)


def _decide_some(decision_id: int, *, at: datetime) -> bool:
    """True once there is nothing left."""
    with transaction.atomic():
        decision = (
            BulkDecision.objects.select_for_update(of=("self",))
            .select_related("started_by", "undoes")
            .get(pk=decision_id)
        )
        if decision.finished_at is not None:
            return True
        events = waiting(_target_of(decision)) if decision.undoes is None else discarded_by(decision.undoes)
        events = events.filter(pk__gt=decision.last_id, pk__lte=decision.up_to_id)
        ids = list(events.values_list("pk", flat=True)[:EVENTS_AT_ONCE])
        outcomes = Counter(_decide(decision, event_id, at=at) for event_id in ids)
        for name, count in outcomes.items():
            setattr(decision, name, getattr(decision, name) + count)
        if ids:
            decision.last_id = ids[-1]
        else:
            # What another person decided before we came to it was in the total, and is no event of ours.
            decision.passed_over += decision.total - decision.done
            decision.finished_at = at
        decision.save()
    return decision.finished_at is not None


def _target_of(decision: BulkDecision) -> Target:
    return Target(code=decision.code, source=decision.source, event_type=decision.event_type, subject=decision.subject)


OUTCOMES = {"accepted": "accepted", "duplicate": "duplicates", "quarantined": "kept"}


def _decide(decision: BulkDecision, event_id: int, *, at: datetime) -> str:
    """Decide over one event as a person would; the name of the number that counts it."""
    try:
        with transaction.atomic():
            if decision.action == Action.DISCARD:
                quarantine.discard_event(
                    quarantine_id=event_id, actor=decision.started_by, reason=decision.reason, at=at
                )
                return "discarded"
            if decision.action == Action.TAKE_UP:
                quarantine.take_up_again(quarantine_id=event_id, actor=decision.started_by, reason=decision.reason)
                return "taken_up"
            released = quarantine.release_event(
                quarantine_id=event_id, actor=decision.started_by, reason=decision.reason, at=at
            )
    except DomainError:  # decided or captured by somebody else in this very moment; it shows on the desk as it is now
        return "passed_over"
    return OUTCOMES[released.outcome]
