"""Review items: opened by the watch over capture, taken by a person, resolved with a reason."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction

from accounts import roles
from accounts.roles import Role
from core import audit, told_of_many
from core.errors import DomainError, InvalidInputError, NotFoundError
from metering import alerts
from metering.models import ArrivalStream, HealthPolicy, ReviewItem, ReviewStep
from metering.rules import review
from metering.rules.watching import Shift

if TYPE_CHECKING:
    from metering.minutes import Finding

REVIEWERS = (Role.OPS, Role.ENGINEERING)
REASON_LENGTH_MAX = 1000
CHANCE_TOLD_MIN = 1e-99


class WrongStatusError(DomainError):
    """The item is in a state from which this move does not lead."""

    code = "wrong_status"


def open_items(found: "Sequence[Finding]", *, policy: HealthPolicy, minute: datetime, at: datetime) -> list[ReviewItem]:
    """Open an item for each finding that is new, and tell ops; what goes on is only noted as seen again."""
    ids = {finding.stream_id for finding in found}
    streams = ArrivalStream.objects.in_bulk(ids)
    latest = {
        (item.stream_id, item.kind): item
        for item in ReviewItem.objects.filter(stream__in=ids)
        .order_by("stream", "kind", "-last_seen_at", "-pk")
        .distinct("stream", "kind")
    }
    opened, going_on = [], []
    for finding in found:
        item = latest.get((finding.stream_id, str(finding.alarm.shift)))
        if item is not None and _goes_on(item, streams[finding.stream_id], minute=minute, policy=policy):
            going_on.append(item.pk)
        else:
            opened.append(_item(finding, policy=policy, minute=minute, at=at))
    with transaction.atomic():
        ReviewItem.objects.filter(pk__in=going_on).update(last_seen_at=minute)
        ReviewItem.objects.bulk_create(opened)
        ReviewStep.objects.bulk_create(
            [ReviewStep(item=item, status_after=item.status, reason=item.now, at=at) for item in opened]
        )
        alerts.announce(opened, at=at)
    return opened


def _goes_on(item: ReviewItem, stream: ArrivalStream, *, minute: datetime, policy: HealthPolicy) -> bool:
    """An item in hand, or one that was resolved while what it says never stopped."""
    if item.status != review.RESOLVED:
        return True
    if item.kind == Shift.SILENT:
        return item.minute > stream.last_minute
    return item.last_seen_at >= minute - timedelta(minutes=policy.window_minutes)


def _item(finding: "Finding", *, policy: HealthPolicy, minute: datetime, at: datetime) -> ReviewItem:
    alarm = finding.alarm
    return ReviewItem(
        kind=alarm.shift,
        stream_id=finding.stream_id,
        policy=policy,
        minute=minute,
        last_seen_at=minute,
        before=alarm.before,
        now=alarm.now,
        chance=f"{alarm.chance:.1e}" if alarm.chance > CHANCE_TOLD_MIN else f"below {CHANCE_TOLD_MIN:.0e}",
        opened_at=at,
    )


def assign_item(*, item_id: int, owner: Any, actor: Any, at: datetime, reason: str = "") -> ReviewItem:
    """Give the item to a person who answers for it; taking it is giving it to oneself."""
    roles.require_role(actor, *REVIEWERS, to="assign review items")
    if not roles.has_role(owner, REVIEWERS):
        raise InvalidInputError("The owner must be a person of ops or engineering.", pointer="/owner")
    return _move("assign", item_id, owner=owner, actor=actor, reason=reason, at=at)


def resolve_item(*, item_id: int, actor: Any, reason: str, at: datetime) -> ReviewItem:
    """Close the item with what was found; nobody's item becomes that of who resolves it."""
    roles.require_role(actor, *REVIEWERS, to="resolve review items")
    if not reason.strip():
        raise InvalidInputError("Say what it was and what was done.", pointer="/reason")
    return _move("resolve", item_id, owner=None, actor=actor, reason=reason, at=at)


def _move(move: str, item_id: int, *, owner: Any, actor: Any, reason: str, at: datetime) -> ReviewItem:
    with transaction.atomic():
        item = ReviewItem.objects.select_for_update().filter(pk=item_id).first()
        if item is None:
            raise NotFoundError("There is no such review item.")
        before, after = item.status, review.next_status(move, item.status)
        if after is None:
            raise WrongStatusError(f"This item is {item.get_status_display().lower()} already.")
        item.status = after
        item.owner_id = owner.pk if owner else item.owner_id or actor.pk
        item.save(update_fields=["status", "owner"])
        step = ReviewStep(item=item, status_before=before, status_after=after, owner_id=item.owner_id, at=at)
        step.actor_id = actor.pk
        step.reason = told_of_many.tell_of_many(reason.strip()[:REASON_LENGTH_MAX], about=())
        step.save(force_insert=True)
        facts = {"from": before, "to": after, "owner": item.owner_id, "reason": step.reason}
        audit.append_entry(action=f"review.{move}", subject=f"review:{item.pk}", actor=actor, facts=facts, at=at)
    return item
