"""Tell something once: the notice, its deliveries and their jobs commit with what caused them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.models import Customer
from core import personal_keys, told, work
from invoicing.notices.models import Channel, Delivery, Endpoint, Notice

DELIVERY_JOB = "notices.deliver"
Status = Delivery.Status


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What is to be told, to whom and how; `key` names it for ever, so that it is told once."""

    key: str
    topic: str
    audience: str
    channels: tuple[str, ...]
    customer: Customer
    title: str
    text: str
    document: dict[str, Any]


def tell(news: News, *, at: datetime) -> Notice:
    """Write the notice and queue one delivery per way, in the caller's transaction; None is sent before it commits."""
    notice = Notice.objects.create(
        key=news.key,
        topic=news.topic,
        audience=news.audience,
        customer=news.customer,
        title=personal_keys.seal_for(news.customer, news.title[:200]),
        text=personal_keys.tell_about(news.customer, news.text),
        document=told.kept_within(news.document),
        created_at=at,
    )
    for delivery in list(_deliveries(notice, news.channels, at=at)):
        delivery.save(force_insert=True)
        if delivery.status == Status.PENDING:
            queue(delivery, at=at)
    return notice


def queue(delivery: Delivery, *, at: datetime) -> None:
    """Have it delivered by a job, which is tried again with growing pauses."""
    work.enqueue(kind=DELIVERY_JOB, key=str(delivery.pk), arguments={"delivery_id": delivery.pk}, at=at)


def _deliveries(notice: Notice, channels: Iterable[str], *, at: datetime) -> Iterable[Delivery]:
    for channel in channels:
        if channel != Channel.WEBHOOK:
            yield Delivery(notice=notice, channel=channel)
            continue
        endpoints = list(Endpoint.objects.filter(closed_at=None, topics__contains=[notice.topic]).order_by("pk"))
        for endpoint in endpoints:
            yield Delivery(notice=notice, channel=channel, endpoint=endpoint)
        if not endpoints:
            yield Delivery(notice=notice, channel=channel, status=Status.NOT_SET_UP, finished_at=at)
