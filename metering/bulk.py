"""Decide over a whole group of quarantined events in the background, a few at a time, and go on after a crash."""

from collections import defaultdict
from dataclasses import asdict, dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.db import connection, transaction
from django.db.models import BigIntegerField, Count, F, Func, Max, QuerySet, TextField, Value

from accounts import roles
from accounts.roles import Role
from core import audit, told_of_many, work
from core.errors import DomainError, InvalidInputError, NotFoundError
from metering import quarantine
from metering.models import BulkDecision, BulkDecisionItem, QuarantinedEvent

BULK_JOB = "metering.bulk_decision"
# A release holds capture's lock to its commit, and whoever fixes a watermark waits for it.
EVENTS_AT_ONCE = 20
STEPS_MAX = 50  # of one job; the next one goes on
DECIDERS = (Role.ENGINEERING, Role.OPS)
Action = BulkDecision.Action
Outcome = BulkDecisionItem.Outcome
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
    """Give the events that this decision discarded and nobody has taken up again since."""
    return QuarantinedEvent.objects.filter(
        bulk_items__decision=decision, bulk_items__outcome=Outcome.DISCARDED, continued_by=None
    )


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
        return _make(
            target=_target_of(undone),
            action=Action.TAKE_UP,
            undoes=undone,
            events=discarded_by(undone),
            reason=reason,
            actor=actor,
            at=at,
        )


def start_decision(*, target: Target, action: str, reason: str, actor: Any, at: datetime) -> BulkDecision:
    """Decide over every event of the group that waits now; a job does it, and every event keeps its own history."""
    roles.require_role(actor, *DECIDERS, to="decide over quarantined events")
    if not reason.strip():
        raise InvalidInputError("Say why; the reason stays with every event.", pointer="/reason")
    if action not in STARTED:
        raise InvalidInputError(f"Choose one of {', '.join(STARTED)}.", pointer="/action")
    with transaction.atomic():
        made = _make(target=target, action=action, events=waiting(target), reason=reason, actor=actor, at=at)
        if not made.total:
            raise NotFoundError("Nothing of this group is waiting.")
    return made


def _make(
    *,
    target: Target,
    action: str,
    events: QuerySet[QuarantinedEvent],
    reason: str,
    actor: Any,
    at: datetime,
    undoes: BulkDecision | None = None,
) -> BulkDecision:
    number = _fix_events(events)
    items = BulkDecisionItem.objects.filter(decision_id=number)
    about = _people_of(QuarantinedEvent.objects.filter(bulk_items__decision_id=number))
    found = items.aggregate(last=Max("event_id"), total=Count("event_id"))
    made = BulkDecision(
        pk=number,
        action=action,
        undoes=undoes,
        up_to_id=found["last"] or 0,
        total=found["total"],
        reason=told_of_many.tell_of_many(reason.strip()[: quarantine.REASON_LENGTH_MAX], about=about),
        started_by=actor,
        started_at=at,
        **asdict(target),
    )
    made.save(force_insert=True)
    facts = {"action": made.action, "code": made.code, "type": made.event_type, "events": made.total}
    audit.append_entry(
        action="quarantine.bulk_decision", subject=f"bulk_decision:{made.pk}", actor=actor, facts=facts, at=at
    )
    _queue(made, at=at)
    return made


def _fix_events(events: QuerySet[QuarantinedEvent]) -> int:
    """Write down, as of one instant, which events a decision is over; the number of the decision to be made."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('metering_bulkdecision', 'id'))")
        ((number,),) = cursor.fetchall()
        rows = events.order_by("pk").annotate(decision=Value(number, BigIntegerField()), outcome=Value("", TEXT))
        chosen, parameters = rows.values_list("decision", "pk", "outcome").query.sql_with_params()
        cursor.execute(f"INSERT INTO metering_bulkdecisionitem (decision_id, event_id, outcome) {chosen}", parameters)
    return int(number)


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
        locked = BulkDecision.objects.select_for_update(of=("self",)).select_related("started_by")
        decision = locked.get(pk=decision_id)
        if decision.finished_at is not None:
            return True
        items = decision.items.filter(event_id__gt=decision.last_id).order_by("event_id")
        ids = list(items.values_list("event_id", flat=True)[:EVENTS_AT_ONCE])
        found = defaultdict(list)
        for event_id in ids:
            found[_decide(decision, event_id, at=at)].append(event_id)
        for outcome, numbers in found.items():
            decision.items.filter(event_id__in=numbers).update(outcome=outcome)
            setattr(decision, outcome, getattr(decision, outcome) + len(numbers))
        if ids:
            decision.last_id = ids[-1]
        else:
            decision.finished_at = at
        decision.save()
    return not ids


def _target_of(decision: BulkDecision) -> Target:
    return Target(code=decision.code, source=decision.source, event_type=decision.event_type, subject=decision.subject)


OUTCOMES = {"accepted": Outcome.ACCEPTED, "duplicate": Outcome.DUPLICATES, "quarantined": Outcome.KEPT}


def _decide(decision: BulkDecision, event_id: int, *, at: datetime) -> Outcome:
    """Decide over one event as a person would; while something that it takes is away, the job has to try again."""
    how: dict[str, Any] = {"quarantine_id": event_id, "actor": decision.started_by, "reason": decision.reason}
    try:
        with transaction.atomic():
            if decision.action == Action.TAKE_UP:
                quarantine.take_up_again(**how)
                return Outcome.TAKEN_UP
            if not _waits_in_group(decision, event_id):
                return Outcome.PASSED_OVER
            if decision.action == Action.DISCARD:
                quarantine.discard_event(**how, at=at)
                return Outcome.DISCARDED
            return OUTCOMES[quarantine.release_event(**how, at=at).outcome]
    except DomainError as refusal:
        if refusal.http_status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        # Decided or captured by somebody else in this very moment; it shows on the desk as it is now.
        return Outcome.PASSED_OVER


def _waits_in_group(decision: BulkDecision, event_id: int) -> bool:
    """Whether it still waits for the reason that the decision is about, which it then does until the decision over it.

    Meanwhile somebody may have decided over it, or it waits for another reason since it was sent or checked again.
    """
    events = QuarantinedEvent.objects.filter(
        pk=event_id, status=QuarantinedEvent.Status.OPEN, reasons__0__code=decision.code
    )
    return bool(events.select_for_update().values_list("pk"))
