"""One decision over everything that a filter of the queue lists: a job decides, a few at a time, and goes on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count

from accounts import roles
from accounts.roles import Role
from core import audit, bulk, work
from core.errors import DomainError, InvalidInputError
from invoicing.cycle import queue, together
from invoicing.cycle.models import BulkReview, BulkReviewItem
from invoicing.cycle.queue import Wanted
from invoicing.cycle.rules import reasons
from invoicing.cycle.together import Outcome

JOB = "cycle.bulk_review"
ITEMS_AT_ONCE = 50  # as many invoices stay locked until a step commits
STEPS_MAX = 10  # of one job; the next one goes on
Action = BulkReview.Action


class ListChangedError(DomainError):
    """The list is not the one that was looked at."""

    code = "list_changed"


def start_review(
    *, wanted: Wanted, list_hash: str, action: str, reason: str, reason_code: str, actor: Any, at: datetime
) -> BulkReview:
    """Decide over every invoice that the filter lists, with the figures that they have on the list looked at.

    `list_hash` is of that list (`queue.find_list`): a figure or an invoice more or less, and nothing is done.
    """
    roles.require_role(actor, Role.FINANCE, to="decide over invoices")
    if action not in Action.values:
        raise InvalidInputError(f"Choose one of {', '.join(Action.values)}.", pointer="/action")
    if action != Action.APPROVE and not reason_code:
        reason = reasons.clean_reason(reason)
    found = queue.find_list(wanted)
    if found.list_hash != list_hash:
        raise ListChangedError("The list has changed since you looked at it. Look at it again, then decide.")
    with transaction.atomic():
        review = BulkReview.objects.create(
            action=action,
            reason=together.tell_of_invoices(reason.strip(), invoice_ids=[number for number, _ in found.figures]),
            reason_code=reason_code,
            total=len(found.figures),
            list_hash=list_hash,
            asked_by=actor,
            asked_at=at,
        )
        bulk.insert_rows(
            [
                BulkReviewItem(review=review, invoice_id=invoice_id, content_hash=content_hash)
                for invoice_id, content_hash in found.figures
            ]
        )
        facts = {"action": action, "invoices": review.total, "list_hash": list_hash}
        audit.append_entry(
            action="invoices.bulk_review", subject=f"bulk_review:{review.pk}", actor=actor, facts=facts, at=at
        )
        _queue(review, at=at)
    return review


def go_on(*, review_id: int, at: datetime) -> None:
    """Decide over the next invoices, each few in a transaction that also notes what became of them."""
    for _step in range(STEPS_MAX):
        if _decide_some(review_id, at=at):
            return
    with transaction.atomic():
        _queue(BulkReview.objects.get(pk=review_id), at=at)


def counts_of(review: BulkReview) -> dict[str, int]:
    """How many invoices came out how; those without an outcome wait."""
    rows = review.items.order_by().values_list("outcome").annotate(n=Count("id"))
    return {str(outcome): n for outcome, n in rows}


def _queue(review: BulkReview, *, at: datetime) -> None:
    left = review.items.filter(outcome="").count()
    work.enqueue(kind=JOB, key=f"{review.pk}, {left} left", arguments={"review_id": review.pk}, at=at)


def _decide_some(review_id: int, *, at: datetime) -> bool:
    """True once there is nothing left."""
    with transaction.atomic():
        review = BulkReview.objects.select_for_update().get(pk=review_id)
        items = list(review.items.filter(outcome="").order_by("invoice_id")[:ITEMS_AT_ONCE])
        if items:
            outcomes = {one.invoice_id: one for one in _decide(review, items, at=at)}
            for item in items:
                outcome = outcomes[item.invoice_id]
                item.outcome, item.code, item.detail = outcome.outcome, outcome.code, outcome.detail
            BulkReviewItem.objects.bulk_update(items, ["outcome", "code", "detail"])
        elif review.ended_at is None:
            BulkReview.objects.filter(pk=review.pk).update(ended_at=at)
    return not items


def _decide(review: BulkReview, items: Sequence[BulkReviewItem], *, at: datetime) -> list[Outcome]:
    """As its author would by hand; whether they still may is asked now."""
    try:
        if review.action == Action.APPROVE:
            figures = [(item.invoice_id, item.content_hash) for item in items]
            return together.approve_invoices(figures=figures, actor=review.asked_by, at=at)
        decide = together.hold_invoices if review.action == Action.HOLD else together.release_invoices
        return decide(
            invoice_ids=[item.invoice_id for item in items],
            reason=review.reason,
            reason_code=review.reason_code,
            actor=review.asked_by,
            at=at,
        )
    except DomainError as error:
        refused = {"outcome": "refused", "code": error.code, "detail": error.message}
        return [Outcome(invoice_id=item.invoice_id, **refused) for item in items]
