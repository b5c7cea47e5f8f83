"""What is overdue: told once for each due time that passed, to the role that owns it."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from compliance.disputes.models import Dispute
from compliance.disputes.rules import lifecycle
from core.personal_keys import PersonErasedError
from invoicing.notices import tell
from invoicing.notices.models import Audience, Channel, Notice, Topic
from invoicing.notices.tell import News

CHANNELS = (Channel.EMAIL.value, Channel.SLACK.value, Channel.WEBHOOK.value)


def overdue(*, at: datetime) -> QuerySet[Dispute]:
    """Open disputes whose step, or whose update to the customer, should have been done by now."""
    return Dispute.objects.exclude(status=lifecycle.CLOSED).filter(Q(due_at__lte=at) | Q(update_due_at__lte=at))


def tell_overdue(*, at: datetime) -> int:
    """Tell the owners of what has become overdue since the last look; how many notices."""
    told = 0
    for dispute in overdue(at=at).select_related("customer", "invoice", "line", "owner").order_by("pk"):
        for key, news in _all_news(dispute, at=at):
            told += _tell_once(dispute, key=key, news=news, at=at)
    return told


def _tell_once(dispute: Dispute, *, key: str, news: News, at: datetime) -> bool:
    """Whether it is told now; of an erased customer nothing is, and the desk still shows the dispute."""
    try:
        with transaction.atomic():
            Dispute.objects.select_for_update().get(pk=dispute.pk)  # two lookers tell it once
            if Notice.objects.filter(key=key).exists():
                return False
            tell.tell(news, at=at)
    except PersonErasedError:
        return False
    return True


def _all_news(dispute: Dispute, *, at: datetime) -> list[tuple[str, News]]:
    news = []
    if dispute.due_at is not None and dispute.due_at <= at:
        text = f"{dispute.get_status_display()} since before {dispute.due_at:%Y-%m-%d %H:%M} UTC, when it was due."
        key = f"dispute:{dispute.pk}:step:{dispute.revision}"
        news.append((key, _news(dispute, key=key, topic=Topic.DISPUTE_OVERDUE, audience=dispute.owner_role, text=text)))
    if dispute.update_due_at is not None and dispute.update_due_at <= at:
        text = f"The customer was to hear of it by {dispute.update_due_at:%Y-%m-%d %H:%M} UTC."
        key = f"dispute:{dispute.pk}:update:{dispute.update_due_at:%Y%m%dT%H%M%S}"
        news.append(
            (key, _news(dispute, key=key, topic=Topic.DISPUTE_UPDATE_DUE, audience=Audience.OPS.value, text=text))
        )
    return news


def _news(dispute: Dispute, *, key: str, topic: Topic, audience: str, text: str) -> News:
    owner = str(dispute.owner) if dispute.owner else f"anybody in {dispute.owner_role}"
    return News(
        key=key,
        topic=topic.value,
        audience=audience,
        channels=CHANNELS,
        customer=dispute.customer,
        title=f"{topic.label}: {dispute.customer.legal_name}, {dispute.subject}",
        text=f"{text}\nWith {owner}.",
        document={
            "dispute": dispute.pk,
            "customer": dispute.customer.code,
            "invoice": dispute.invoice.number,
            "line": None if dispute.line is None else dispute.line.position,
            "status": dispute.status,
            "owner_role": dispute.owner_role,
            "owner": dispute.owner.username if dispute.owner else None,
            "due_at": None if dispute.due_at is None else dispute.due_at.isoformat(),
            "update_due_at": None if dispute.update_due_at is None else dispute.update_due_at.isoformat(),
        },
    )
