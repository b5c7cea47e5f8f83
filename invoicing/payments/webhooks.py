"""Take in what Stripe tells: signed, each event once, and kept whether or not anything follows."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from django.conf import settings
from django.db import transaction

from core import locks
from core.errors import DomainError
from core.locks import LockClass
from invoicing.payments import settle, stripe_gateway
from invoicing.payments.models import GatewayEvent, Payment
from invoicing.payments.rules import stripe_events

STRIPE = Payment.Gateway.STRIPE
LIVE_KEYS = ("sk_live_", "rk_live_")


class NotSetUpError(DomainError):
    """Without the secret nobody can tell who sends."""

    code = "webhooks_off"
    http_status = 503


class NotAnEventError(DomainError):
    """Signed, and yet nothing that can be taken in; nothing is kept."""

    code = "event_unreadable"
    http_status = 400


def receive(*, header: str, body: bytes, at: datetime) -> GatewayEvent:
    """Keep the event and do what follows from it; the one that was kept, where it came before."""
    secret = settings.STRIPE_WEBHOOK_SECRET
    if not secret:
        raise NotSetUpError("STRIPE_WEBHOOK_SECRET is not set, so nothing is taken in.")
    stripe_gateway.require_signed(body, header=header, secret=secret, at=at)
    event = _read(body, at=at)
    with transaction.atomic():
        _lock(event.payment_ref or event.event_id)
        known = GatewayEvent.objects.filter(gateway=STRIPE, event_id=event.event_id).first()
        if known is not None:
            return known
        event.save(force_insert=True)
        if event.outcome != "unknown":
            settle.settle_told(gateway=STRIPE, payment_ref=event.payment_ref, at=at)
            event.refresh_from_db()
    return event


def try_waiting(*, at: datetime) -> int:
    """Look again at what came before its invoice was issued; how many payments were begun."""
    refs = GatewayEvent.objects.filter(gateway=STRIPE, outcome="waiting").values_list("payment_ref", flat=True)
    return sum(_try_again(ref, at=at) for ref in sorted(set(refs)))


@transaction.atomic
def _try_again(ref: str, *, at: datetime) -> bool:
    _lock(ref)
    return settle.settle_told(gateway=STRIPE, payment_ref=ref, at=at) is not None


def _lock(name: str) -> None:
    """Deliveries about one payment wait for each other here; none of them reads what another has not committed."""
    digest = hashlib.sha256(name.encode()).digest()
    locks.lock_exclusive(LockClass.PAYMENT, int.from_bytes(digest[:4], signed=True))


def _read(body: bytes, *, at: datetime) -> GatewayEvent:
    """The event without what names persons; NotAnEventError for what is no event of this account and mode."""
    try:
        told = orjson.loads(body)
        kind, about = _usable(told)
        ref = stripe_events.payment_ref(kind, about)
        facts = stripe_events.facts_of(about) if ref else {"of": str(about.get("object", ""))[:40]}
        created = datetime.fromtimestamp(told["created"], UTC)
    except (ValueError, KeyError, TypeError, OverflowError, AttributeError) as error:
        raise NotAnEventError("This is no event as Stripe describes it.") from error
    return GatewayEvent(
        gateway=STRIPE,
        event_id=told["id"],
        kind=kind,
        payment_ref=ref,
        facts=facts,
        created_at=created,
        received_at=at,
        body_sha256=hashlib.sha256(body).hexdigest(),
        outcome="waiting" if ref else "unknown",
    )


def _usable(told: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Its kind and what it is about."""
    kind, event_id = told["type"], told["id"]
    if told["object"] != "event" or told.get("account"):
        raise ValueError("not an event of this account")
    key = settings.STRIPE_API_KEY
    if key and told["livemode"] is not key.startswith(LIVE_KEYS):
        raise ValueError("of the other mode")
    named = (kind, event_id)
    if not all(isinstance(one, str) and 0 < len(one) <= limit for one, limit in zip(named, (100, 255), strict=True)):
        raise ValueError("without a name")
    about = told["data"]["object"]
    if not isinstance(about, Mapping):
        raise TypeError("about nothing")
    return kind, about
