"""Deliver one notice by one way; every attempt is kept, and what was delivered is not sent again."""

import smtplib
from datetime import UTC, datetime
from typing import Any

import orjson
from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Max
from standardwebhooks.webhooks import Webhook

from accounts import roles
from accounts.roles import Role
from core import outbound, personal_keys
from core.errors import DomainError, NotFoundError
from core.outbound import OutboundError
from invoicing.notices import endpoints, tell
from invoicing.notices.models import Address, Attempt, Audience, Channel, Delivery, Endpoint, Notice

ATTEMPTS_MAX = 8
SENDERS = (Role.OPS, Role.ENGINEERING)
PEOPLE = {Audience.OPS: Role.OPS, Audience.ENGINEERING: Role.ENGINEERING, Audience.FINANCE: Role.FINANCE}
Status = Delivery.Status


class NotDeliveredError(DomainError):
    """An attempt failed; the job is tried again until the delivery is given up."""

    code = "notice_not_delivered"


class NotFailedError(DomainError):
    """Only a delivery that was given up is sent again."""

    code = "delivery_not_failed"


def deliver(*, delivery_id: int, at: datetime) -> None:
    """Try once, outside any transaction; NotDeliveredError where the job is to try again."""
    delivery = Delivery.objects.select_related("notice__customer", "endpoint").get(pk=delivery_id)
    if delivery.status != Status.PENDING:
        return
    if not _is_set_up(delivery):
        _finish(delivery, status=Status.NOT_SET_UP, at=at)
        return
    try:
        sent_to = _send(delivery, at=at)
    except (OutboundError, smtplib.SMTPException, OSError) as error:
        number = _note(delivery, is_delivered=False, detail=str(error)[:500], at=at)
        if number % ATTEMPTS_MAX:
            raise NotDeliveredError(f"Attempt {number}: {error}") from error
        _finish(delivery, status=Status.FAILED, at=at)
        return
    with transaction.atomic():
        _note(delivery, is_delivered=True, detail="", at=at)
        _finish(delivery, status=Status.DELIVERED, sent_to=sent_to, at=at)


def send_again(*, delivery_id: int, actor: Any, at: datetime) -> Delivery:
    """Queue a delivery that was given up once more, with as many attempts again."""
    roles.require_role(actor, *SENDERS, to="send a notice again")
    with transaction.atomic():
        delivery = Delivery.objects.select_for_update().filter(pk=delivery_id).first()
        if delivery is None:
            raise NotFoundError("There is no such delivery.")
        if delivery.status != Status.FAILED:
            raise NotFailedError("Only a delivery that was given up is sent again.")
        delivery.status, delivery.finished_at = Status.PENDING, None
        delivery.save(update_fields=["status", "finished_at"])
        tell.queue(delivery, at=at)
    return delivery


def signed_request(notice: Notice, endpoint: Endpoint, *, at: datetime) -> tuple[bytes, dict[str, str]]:
    """The body and headers of Standard Webhooks: one id per notice, signed by every secret that is in use."""
    said = personal_keys.open_within(notice.document)
    body = orjson.dumps(
        {"type": notice.topic, "timestamp": notice.created_at.astimezone(UTC).isoformat(), "data": said}
    )
    name = f"msg_{notice.pk}"
    signatures = [
        Webhook(secret).sign(name, at, body.decode()) for secret in endpoints.signing_secrets(endpoint, at=at)
    ]
    return body, {
        "Content-Type": "application/json",
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _is_set_up(delivery: Delivery) -> bool:
    if delivery.channel == Channel.EMAIL:
        return bool(settings.ALERT_BY_EMAIL and _recipients(delivery.notice.audience))
    if delivery.channel == Channel.SLACK:
        return bool(settings.SLACK_WEBHOOK_URL)
    return delivery.endpoint is not None and delivery.endpoint.closed_at is None


def _send(delivery: Delivery, *, at: datetime) -> str:
    """Send it, and give to whom."""
    notice = delivery.notice
    if delivery.channel == Channel.EMAIL:
        return _send_email(notice)
    if delivery.channel == Channel.SLACK:
        outbound.post_json(settings.SLACK_WEBHOOK_URL, {"text": slack_text(notice)})
        return "Slack"
    assert delivery.endpoint is not None  # noqa: S101  a constraint keeps the other channels without one
    body, headers = signed_request(notice, delivery.endpoint, at=at)
    outbound.post(delivery.endpoint.url, body, headers=headers)
    return delivery.endpoint.url


def slack_text(notice: Notice) -> str:
    """What a customer calls itself is no markup, and calls nobody."""
    text = f"*{notice.title}*\n{notice.text}"
    for sign, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(sign, written)
    return text


def _send_email(notice: Notice) -> str:
    addresses = _recipients(notice.audience)
    # The same id each time: a mail reader shows a message that was sent twice once.
    headers = {"Message-ID": f"<notice-{notice.pk}@billing-ops.invalid>"}
    title = " ".join(notice.title.split())
    EmailMessage(title, notice.text, to=addresses, headers=headers).send()
    return ", ".join(addresses)[:1000]


def _recipients(audience: str) -> list[str]:
    found = set(Address.objects.filter(audience=audience, is_active=True).values_list("email", flat=True))
    if audience in PEOPLE:
        people = User.objects.filter(groups__name=PEOPLE[Audience(audience)], is_active=True).exclude(email="")
        found |= set(people.values_list("email", flat=True))
    return sorted(found)


def _note(delivery: Delivery, *, is_delivered: bool, detail: str, at: datetime) -> int:
    number = (delivery.attempts.aggregate(last=Max("number"))["last"] or 0) + 1
    clean = detail.replace("\x00", "")
    Attempt.objects.create(delivery=delivery, number=number, at=at, is_delivered=is_delivered, detail=clean)
    return int(number)


def _finish(delivery: Delivery, *, status: Status, at: datetime, sent_to: str = "") -> None:
    delivery.status, delivery.finished_at, delivery.sent_to = status, at, sent_to
    delivery.save(update_fields=["status", "finished_at", "sent_to"])
