"""Backfills: events staged apart from all that counts, captured when finance approves, or gone when it does not."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from accounts import roles
from accounts.roles import Role
from core import audit, bulk, told_of_many, work
from core.errors import DomainError, InvalidInputError, NotFoundError
from metering import ingest
from metering.models import Backfill, CaptureBatch, StagedEvent
from metering.rules import exact_json
from metering.rules.reading import Delivery, Unreadable
from metering.store import held

CAPTURE_JOB = "metering.capture_backfill"
CHUNK_ROWS = 1000
STAGED_MAX = 1_000_000
REASON_LENGTH_MIN = 5
FILLERS = (Role.OPS, Role.ENGINEERING, Role.FINANCE)
Status = Backfill.Status


class BackfillExistsError(DomainError):
    """The name is taken; a backfill is never filled a second time."""

    code = "backfill_exists"


class BackfillClosedError(DomainError):
    """The backfill is not in the state that this needs."""

    code = "backfill_closed"


class BackfillUnusableError(InvalidInputError):
    """Something in the delivery cannot be staged; nothing of the delivery was."""

    code = "backfill_unusable"


@transaction.atomic
def create_backfill(*, name: str, reason: str, actor: Any, at: datetime) -> Backfill:
    """Open an empty batch under a name that is used once."""
    roles.require_role(actor, *FILLERS, to="create backfills")
    if len(reason.strip()) < REASON_LENGTH_MIN:
        raise InvalidInputError("Say why this usage comes so late.", pointer="/reason")
    told = told_of_many.tell_of_many(reason.strip(), about=())  # whom it is about shows when events are put in
    backfill, is_new = Backfill.objects.get_or_create(
        name=name, defaults={"reason": told, "created_by": actor, "created_at": at}
    )
    if not is_new:
        raise BackfillExistsError(f"There is a backfill {name} already; give this one a name of its own.")
    _record(backfill, "backfill.created", actor=actor, reason=backfill.reason, at=at)
    return backfill


def stage_events(*, name: str, deliveries: Sequence[Delivery], actor: Any) -> Backfill:
    """Put events into an open batch, as they are; what capture thinks of them is asked when it is inspected."""
    roles.require_role(actor, *FILLERS, to="fill backfills")
    for index, one in enumerate(deliveries):
        if isinstance(one, Unreadable):
            raise BackfillUnusableError(f"Event {index} is not one JSON object: {one.reasons[0].detail}")
    with transaction.atomic():
        backfill = lock_backfill(name)
        _require(backfill, Status.OPEN)
        if backfill.staged + len(deliveries) > STAGED_MAX:
            raise BackfillUnusableError(f"A backfill takes at most {STAGED_MAX:,} events; open a second one.")
        bulk.insert_rows(
            [
                StagedEvent(backfill=backfill, position=position, content=exact_json.write_in_order(one).decode())
                for position, one in enumerate(deliveries, start=backfill.staged + 1)
            ]
        )
        told_of_many.add_people(backfill.reason, about=set(held.keys_of(deliveries)))
        backfill.staged += len(deliveries)
        backfill.save(update_fields=["staged"])
    return backfill


def seal_backfill(backfill: Backfill, *, actor: Any, at: datetime) -> None:
    """Take no more events, so that what is looked at is what is decided on; the caller holds the row."""
    _require(backfill, Status.OPEN)
    if not backfill.staged:
        raise BackfillUnusableError("There is nothing in this backfill; put events in first.")
    digest = hashlib.sha256()
    for content in _contents(backfill):
        digest.update(content.encode() + b"\n")
    backfill.digest = digest.hexdigest()
    move_backfill(backfill, to_status=Status.SEALED, actor=actor, reason=backfill.reason, at=at)


def approve_backfill(backfill: Backfill, *, reason: str, actor: Any, at: datetime) -> None:
    """Have the staged events captured by a job of this transaction; from then on they are usage like any other."""
    _require(backfill, Status.SEALED)
    move_backfill(backfill, to_status=Status.APPROVED, actor=actor, reason=reason, at=at)
    work.enqueue(kind=CAPTURE_JOB, key=backfill.name, arguments={"backfill_id": backfill.pk}, at=at)


def revert_backfill(backfill: Backfill, *, reason: str, actor: Any, at: datetime) -> None:
    """Drop what was staged; the record of the batch stays, with its number of events and their digest."""
    if backfill.status not in (Status.OPEN, Status.SEALED):
        raise BackfillClosedError(f"This backfill is {backfill.status} already.")
    move_backfill(backfill, to_status=Status.REVERTED, actor=actor, reason=reason, at=at)
    StagedEvent.objects.filter(backfill=backfill).delete()


def capture_backfill(*, backfill_id: int, at: datetime) -> Backfill:
    """Capture what is still staged, a chunk per transaction; killed and run again, it captures nothing twice."""
    backfill = Backfill.objects.get(pk=backfill_id, status=Status.APPROVED)
    while chunk := list(StagedEvent.objects.filter(backfill=backfill).order_by("position")[:CHUNK_ROWS]):
        _capture_chunk(backfill, chunk, at=at)
    Backfill.objects.filter(pk=backfill.pk, captured_at=None).update(captured_at=Now())
    backfill.refresh_from_db()
    return backfill


def _capture_chunk(backfill: Backfill, chunk: Sequence[StagedEvent], *, at: datetime) -> None:
    deliveries = [exact_json.read(event.content) for event in chunk]
    found = ingest.check_events(deliveries, sent_at=backfill.created_at, at=at)
    ingest.prepare_months(found)
    with transaction.atomic():
        batch = Backfill.objects.select_for_update().get(pk=backfill.pk)
        ids = [event.pk for event in chunk]
        if StagedEvent.objects.filter(pk__in=ids).delete()[0] != len(ids):
            raise BackfillClosedError(f"Another process is capturing {batch.name}; let it finish.")
        result = ingest.store_events(
            deliveries, found, channel=CaptureBatch.Channel.IMPORT, origin=f"backfill {batch.name}"
        )
        Backfill.objects.filter(pk=batch.pk).update(
            accepted=F("accepted") + result.accepted,
            duplicates=F("duplicates") + result.duplicates,
            quarantined=F("quarantined") + result.quarantined,
        )


def deliveries_of(backfill: Backfill) -> Iterator[list[dict[str, Any]]]:
    """The staged events in chunks, in their order."""
    chunk: list[dict[str, Any]] = []
    for content in _contents(backfill):
        chunk.append(exact_json.read(content))
        if len(chunk) == CHUNK_ROWS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def find_backfill(name: str) -> Backfill:
    found = Backfill.objects.select_related("created_by").filter(name=name).first()
    if found is None:
        raise NotFoundError(f"There is no backfill {name}; open it in the back office or by the API.")
    return found


def lock_backfill(name: str) -> Backfill:
    """Read the batch and hold its row until the transaction ends."""
    backfill = Backfill.objects.select_for_update(of=("self",)).filter(name=name).first()
    if backfill is None:
        raise NotFoundError(f"There is no backfill {name}.")
    return backfill


def move_backfill(backfill: Backfill, *, to_status: Status, actor: Any, reason: str, at: datetime) -> None:
    """The one mover: sets the status of a locked batch and keeps the move in the audit chain."""
    backfill.status = to_status
    if to_status in (Status.APPROVED, Status.REVERTED):
        reason = told_of_many.tell_of_same(backfill.reason, reason)
        backfill.decided_by, backfill.decided_at, backfill.decision_reason = actor, at, reason
    backfill.save(update_fields=["status", "digest", "decided_by", "decided_at", "decision_reason"])
    _record(backfill, f"backfill.{to_status}", actor=actor, reason=reason, at=at)


def _require(backfill: Backfill, status: Status) -> None:
    if backfill.status != status:
        raise BackfillClosedError(f"This backfill is {backfill.status}, not {status}.")


def _contents(backfill: Backfill) -> Iterable[str]:
    rows = StagedEvent.objects.filter(backfill=backfill).order_by("position").values_list("content", flat=True)
    return rows.iterator(chunk_size=CHUNK_ROWS)


def _record(backfill: Backfill, action: str, *, actor: Any, reason: str, at: datetime) -> None:
    facts = {"name": backfill.name, "staged": backfill.staged, "digest": backfill.digest, "reason": reason}
    audit.append_entry(action=action, subject=f"backfill:{backfill.pk}", actor=actor, facts=facts, at=at)
