"""Telling ops: one message per new review item and channel, delivered by a job after the item has committed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage

from accounts.roles import Role
from core import outbound, work
from metering.models import AlertDelivery, ReviewItem

ALERT_JOB = "metering.alert"
Channel = AlertDelivery.Channel


@dataclass(frozen=True, slots=True)
class Message:
    """What is said, whichever way it goes."""

    title: str
    text: str


def announce(items: Sequence[ReviewItem], *, at: datetime) -> None:
    """Queue the messages of these items on every channel that is set up, in the transaction that opens them."""
    for channel in channels():
        for item in items:
            arguments = {"item_id": item.pk, "channel": channel}
            work.enqueue(kind=ALERT_JOB, key=f"{item.pk} {channel}", arguments=arguments, at=at)


def channels() -> list[str]:
    """Give the channels that the installation has: e-mail with `EMAIL_URL`, Slack with `SLACK_WEBHOOK_URL`."""
    found = [Channel.EMAIL.value] if settings.ALERT_BY_EMAIL else []
    return [*found, Channel.SLACK.value] if settings.SLACK_WEBHOOK_URL else found


def deliver(*, item_id: int, channel: str, at: datetime) -> None:
    """Send one message, outside any transaction; what was delivered before is not sent again."""
    if AlertDelivery.objects.filter(item=item_id, channel=channel).exists():
        return
    item = ReviewItem.objects.select_related("stream", "policy").get(pk=item_id)
    message = write_message(item)
    if sent_to := tell_ops(message, reference=f"review-{item.pk}", channel=channel):
        delivery = AlertDelivery(item=item, channel=channel, sent_to=sent_to, delivered_at=at)
        AlertDelivery.objects.bulk_create([delivery], ignore_conflicts=True)


def write_message(item: ReviewItem) -> Message:
    """Say what was noticed, against what, and how likely it is nothing."""
    stream = item.stream
    lines = [
        f"{item.get_kind_display()}: events of type {stream.event_type or '(none)'} from {stream.source or '(none)'}.",
        f"Now: {item.now}.",
        f"Before: {item.before}.",
        f"Noticed at {item.minute:%Y-%m-%d %H:%M} UTC, by version {item.policy.version} of the health policy.",
        f"The chance that the same comes about by luck is {item.chance}.",
        f"It is review item {item.pk} in the back office, under Metering.",
    ]
    return Message(title=f"Billing Ops: {item}"[:200], text="\n".join(lines))


def tell_ops(message: Message, *, reference: str, channel: str) -> str:
    """Send one message to ops and say to whom it went, if to anybody; told again, a mail reader shows it once."""
    return _send_slack(message) if channel == Channel.SLACK else _send_email(message, reference=reference)


def _send_email(message: Message, *, reference: str) -> str:
    """To everybody of ops who has an address; nobody is no failure."""
    people = User.objects.filter(groups__name=Role.OPS, is_active=True).exclude(email="")
    addresses = sorted(people.values_list("email", flat=True).distinct())
    if not addresses:
        return ""
    # The same id each time: a mail reader shows a message that was sent twice once.
    headers = {"Message-ID": f"<{reference}@billing-ops.invalid>"}
    EmailMessage(message.title, message.text, to=addresses, headers=headers).send()
    return ", ".join(addresses)[:1000]


def _send_slack(message: Message) -> str:
    text = f"*{message.title}*\n{message.text}"
    for sign, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):  # what senders call themselves is no markup
        text = text.replace(sign, written)
    outbound.post_json(settings.SLACK_WEBHOOK_URL, {"text": text})
    return "Slack"
