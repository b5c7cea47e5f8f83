"""Credit reviews: opened by a firing that requires one, resolved once by finance or ops."""

from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from accounts import roles
from accounts.roles import Role
from core import audit, personal_keys
from core.errors import DomainError, InvalidInputError, NotFoundError
from invoicing.charge_controls.models import ControlFiring, CreditReview
from invoicing.notices import tell
from invoicing.notices.models import Audience, Channel, Topic
from invoicing.notices.tell import News

REVIEWERS = (Role.FINANCE, Role.OPS)
CHANNELS = (Channel.EMAIL.value, Channel.WEBHOOK.value)


class ReviewClosedError(DomainError):
    """A review is resolved once."""

    code = "review_resolved"


def open_review(firing: ControlFiring, *, reason: str, at: datetime) -> CreditReview:
    """Ask finance and ops to look, in the transaction of the firing."""
    review = CreditReview.objects.create(firing=firing, customer=firing.customer, opened_at=at)
    customer = firing.customer
    news = News(
        key=f"review:{review.pk}",
        topic=Topic.REVIEW_REQUESTED,
        audience=Audience.OPS,
        channels=CHANNELS,
        customer=customer,
        title=f"Credit review: {customer.legal_name}",
        text=f"{reason}\nPolicy {firing.policy} requires a review. Usage goes on meanwhile.",
        document={
            "review": review.pk,
            "firing": firing.pk,
            "customer": customer.code,
            "reason": reason,
            "inputs": firing.inputs,
            "policy": {"program": firing.policy.program, "version": firing.policy.version},
            "opened_at": at.astimezone(UTC).isoformat(),
        },
    )
    tell.tell(news, at=at)
    return review


def resolve_review(*, review_id: int, resolution: str, actor: Any, at: datetime) -> CreditReview:
    """Close a review with what came of it; nothing else follows from it."""
    roles.require_role(actor, *REVIEWERS, to="resolve a credit review")
    if not resolution.strip():
        raise InvalidInputError("Say what came of the review.", pointer="/resolution")
    with transaction.atomic():
        review = CreditReview.objects.select_for_update(of=("self",)).filter(pk=review_id).first()
        if review is None:
            raise NotFoundError(f"There is no credit review {review_id}.")
        if review.status != CreditReview.Status.OPEN:
            raise ReviewClosedError("This review was resolved already.")
        review.status = CreditReview.Status.RESOLVED
        review.resolved_by, review.resolved_at = actor, at
        review.resolution = personal_keys.tell_about(review.customer, resolution.strip())
        review.save(update_fields=["status", "resolved_by", "resolved_at", "resolution"])
        facts = {"resolution": review.resolution, "firing": review.firing_id}
        audit.append_entry(
            action="credit_review.resolved", subject=f"credit_review:{review.pk}", actor=actor, facts=facts, at=at
        )
    return review
