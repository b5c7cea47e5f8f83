"""The quarantine desk: a held event is checked again and released, or discarded, by a person with a reason."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from core import history, personal_keys
from core.errors import DomainError, InvalidInputError, NotFoundError
from core.told import Told
from metering import ingest, webhooks
from metering.models import CaptureBatch, QuarantinedEvent
from metering.rules import reading
from metering.rules.reasons import Reason

Status = QuarantinedEvent.Status
REASON_LENGTH_MAX = 1000


class AlreadyDecidedError(DomainError):
    """It was released or discarded before."""

    code = "already_decided"


class NotDiscardedError(DomainError):
    """Only what was discarded, and not taken up since, can be taken up again."""

    code = "not_discarded"


class ReleaseRacedError(DomainError):
    """What the check found had changed by the time the event was written; releasing it again tells what is so now."""

    code = "release_raced"


@dataclass(frozen=True, slots=True)
class Release:
    """`outcome` is accepted, duplicate (the same event was accepted before) or quarantined, for these reasons."""

    event: QuarantinedEvent
    outcome: str
    reasons: tuple[Reason, ...] = ()


def release_event(*, quarantine_id: int, actor: Any, at: datetime, reason: str = "") -> Release:
    """Check the event against the contract now in force; accept it with its own time, or keep it with new reasons.

    Its age counts from when it was first received: waiting here never makes an event too old. A webhook is mapped
    anew, as its source says now.
    """
    with transaction.atomic():
        event = _lock_open(quarantine_id)
        deliveries = [webhooks.map_anew(reading.read_one(event.raw))]
        found = ingest.check_events(deliveries, sent_at=event.received_at, at=at)
        if still_held := ingest.judge_events(deliveries, found).held:
            return _keep(event, still_held[0][1], actor=actor, reason=reason)
        origin = f"quarantine:{event.pk}"
        result = ingest.store_events(deliveries, found, channel=CaptureBatch.Channel.RELEASE, origin=origin)
        if result.quarantined:
            raise ReleaseRacedError("Another delivery took this identity, or corrected the same event, just now.")
        _decide(event, status=Status.RELEASED, actor=actor, reason=reason, at=at)
    return Release(event, "accepted" if result.accepted else "duplicate")


def discard_event(*, quarantine_id: int, actor: Any, reason: str, at: datetime) -> QuarantinedEvent:
    """Close the case without accepting the event; the reason stays with it."""
    if not reason.strip():
        raise InvalidInputError("Say why this event is not billed.", pointer="/reason")
    with transaction.atomic():
        event = _lock_open(quarantine_id)
        _decide(event, status=Status.DISCARDED, actor=actor, reason=reason, at=at)
    return event


def take_up_again(*, quarantine_id: int, actor: Any, reason: str) -> QuarantinedEvent:
    """Have a discarded event wait again, as a row of its own; the discard stays on record with its reason.

    It was received when it first came, so waiting makes it no older.
    """
    if not reason.strip():
        raise InvalidInputError("Say why this event is looked at again.", pointer="/reason")
    with transaction.atomic():
        event = QuarantinedEvent.objects.select_for_update().filter(pk=quarantine_id).first()
        if event is None:
            raise NotFoundError("There is no such quarantined event.")
        if event.status != Status.DISCARDED or hasattr(event, "continued_by"):
            raise NotDiscardedError("This event is not discarded, or was taken up again before.")
        if QuarantinedEvent.objects.filter(raw_hash=event.raw_hash, status=Status.OPEN).exists():
            raise NotDiscardedError("This event was sent again since, and waits already.")
        names = ("source", "event_id", "event_type", "subject", "raw", "raw_hash", "reasons", "batch_id", "received_at")
        again = QuarantinedEvent(continues=event, **{name: getattr(event, name) for name in names})
        history.save_new(again, actor=actor, reason=personal_keys.tell_under(event.key_id, _clean(reason)))
    return again


def _lock_open(quarantine_id: int) -> QuarantinedEvent:
    event = QuarantinedEvent.objects.select_for_update().filter(pk=quarantine_id).first()
    if event is None:
        raise NotFoundError("There is no such quarantined event.")
    if event.status != Status.OPEN:
        raise AlreadyDecidedError(f"This event was {event.get_status_display().lower()} before.")
    return event


def _keep(event: QuarantinedEvent, reasons: tuple[Reason, ...], *, actor: Any, reason: str) -> Release:
    event.reasons = [found.as_json() for found in reasons]
    history.save_change(
        event, fields=["reasons"], actor=actor, reason=personal_keys.tell_under(event.key_id, reason) or "checked again"
    )
    return Release(event, "quarantined", reasons)


def _clean(reason: str) -> str:
    """One that was told of many is clean already, and stays told."""
    return reason if isinstance(reason, Told) else reason.strip()[:REASON_LENGTH_MAX]


def _decide(event: QuarantinedEvent, *, status: str, actor: Any, reason: str, at: datetime) -> None:
    """Close the case; the one place that does."""
    event.status, event.decided_by_id, event.decided_at = status, actor.pk, at
    # Under the key that the body lies under, if it names a customer.
    event.decision_reason = personal_keys.tell_under(event.key_id, _clean(reason))
    fields = ["status", "decided_by", "decided_at", "decision_reason"]
    history.save_change(event, fields=fields, actor=actor, reason=event.decision_reason)
