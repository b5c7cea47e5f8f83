"""Signed webhooks as a source of events: configured by engineers, told by their signature, counted once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from core import audit, history, webhook_secrets
from core.errors import DomainError, InvalidInputError, NotFoundError
from metering import ingest
from metering.ingest import CaptureResult
from metering.models import CaptureBatch, WebhookSecret, WebhookSource
from metering.rules import reading
from metering.rules.adapters import webhook
from metering.rules.adapters.times import seconds_text
from metering.rules.reading import Delivery, NotABatchError, Unreadable

PURPOSE = b"metering.webhooks\n"
OVERLAP_HOURS_MAX = 30 * 24


class BadSignatureError(DomainError):
    """The webhook is not signed by this source's secret, or was signed more than five minutes from now."""

    code = "bad_signature"
    http_status = 400


class SourceClosedError(DomainError):
    """A closed source stays closed."""

    code = "source_closed"


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A secret at the one moment at which it can be read."""

    source: WebhookSource
    text: str


def create_source(*, code: str, description: str, mapping: Any, actor: Any, at: datetime) -> NewSecret:
    """Make a source with its first secret, whose text cannot be read again."""
    _require_mapping(mapping)
    source = WebhookSource(code=code, description=description, mapping=mapping, created_at=at)
    with transaction.atomic():
        source.full_clean()
        history.save_new(source, actor=actor)
        _record("webhook_source.created", source, actor=actor, at=at, facts={"mapping": mapping})
        return NewSecret(source, _add_secret(source, at=at))


def change_source(*, code: str, changes: Mapping[str, Any], actor: Any, at: datetime) -> WebhookSource:
    """Change the words or the mapping; it counts from the next webhook on."""
    if "mapping" in changes:
        _require_mapping(changes["mapping"])
    with transaction.atomic():
        source = _lock_open(code)
        for name in ("description", "mapping"):
            setattr(source, name, changes.get(name, getattr(source, name)))
        source.clean_fields()
        history.save_change(source, fields=["description", "mapping"], actor=actor)
        _record("webhook_source.changed", source, actor=actor, at=at, facts={"mapping": source.mapping})
    return source


def rotate_secret(*, code: str, overlap_hours: int, actor: Any, at: datetime) -> NewSecret:
    """Make a new secret; the one before signs for some hours more, and any older one for none."""
    if not 0 <= overlap_hours <= OVERLAP_HOURS_MAX:
        raise InvalidInputError(f"Let both sign for 0 to {OVERLAP_HOURS_MAX} hours.", pointer="/overlap_hours")
    with transaction.atomic():
        source = _lock_open(code)
        source.secrets.filter(ends_at__gt=at).update(ends_at=at)
        source.secrets.filter(ends_at=None).update(ends_at=at + timedelta(hours=overlap_hours))
        text = _add_secret(source, at=at)
        _record("webhook_source.secret_rotated", source, actor=actor, at=at, facts={"overlap_hours": overlap_hours})
    return NewSecret(source, text)


def close_source(*, code: str, reason: str, actor: Any, at: datetime) -> WebhookSource:
    """Take nothing from this source any more; what it brought stays."""
    if not reason.strip():
        raise InvalidInputError("Say why nothing is taken from it any more.", pointer="/reason")
    with transaction.atomic():
        source = _lock_open(code)
        source.closed_at = at
        history.save_change(source, fields=["closed_at"], actor=actor, reason=reason[:100])
        source.secrets.filter(Q(ends_at=None) | Q(ends_at__gt=at)).update(ends_at=at)
        _record("webhook_source.closed", source, actor=actor, at=at, facts={"reason": reason})
    return source


def receive(*, code: str, headers: Mapping[str, str], body: bytes, at: datetime) -> CaptureResult:
    """Capture one signed webhook; a wrong signature writes nothing, and one sent again is counted once."""
    source = find_source(code)
    if source.closed_at is not None:
        raise NotFoundError("There is no such webhook source.")
    _require_signature(source, headers=headers, body=body, at=at)
    deliveries = reading.read_document(body) if body.strip() else []
    if len(deliveries) != 1:
        raise NotABatchError("A webhook's body is one JSON object.")
    sent_at = str(seconds_text(headers.get("webhook-timestamp", "")))
    event = _map(deliveries[0], source, webhook_id=headers.get("webhook-id", ""), sent_at=sent_at)
    found = ingest.check_events([event], sent_at=at, at=at)
    if found.held:
        event = webhook.with_body(event, deliveries[0], sent_at=sent_at, reasons=found.held[0][1])
        found = ingest.check_events([event], sent_at=at, at=at)
    return ingest.store_events([event], found, channel=CaptureBatch.Channel.HTTP, origin=f"webhook:{source.code}")


def map_anew(held: Delivery) -> Delivery:
    """Map the body of a webhook that was held back as its source says now; anything else stays as it is."""
    kept = webhook.body_of(held)
    if kept is None or isinstance(held, Unreadable):
        return held
    code, sent_at, body = kept
    source = WebhookSource.objects.filter(code=code).first()
    return held if source is None else _map(body, source, webhook_id=held.get("id"), sent_at=sent_at)


def _map(body: Delivery, source: WebhookSource, *, webhook_id: Any, sent_at: str) -> Delivery:
    mapping, name = webhook.read_mapping(source.mapping), f"{webhook.SOURCE_PREFIX}{source.code}"
    return webhook.event_of(body, mapping, source=name, webhook_id=webhook_id, sent_at=sent_at)


def find_source(code: str) -> WebhookSource:
    source = WebhookSource.objects.filter(code=code).first()
    if source is None:
        raise NotFoundError("There is no such webhook source.")
    return source


def _require_signature(source: WebhookSource, *, headers: Mapping[str, str], body: bytes, at: datetime) -> None:
    signed = {name: headers.get(name, "") for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
    live = source.secrets.filter(Q(ends_at=None) | Q(ends_at__gt=at))
    texts = (text for secret in live for text in webhook_secrets.texts_of(secret.nonce, purpose=PURPOSE))
    if not any(_verifies(text, signed, body) for text in texts):
        raise BadSignatureError(
            "The signature is missing, wrong, or more than five minutes old or ahead; sign it by Standard Webhooks."
        )


def _verifies(text: str, signed: dict[str, str], body: bytes) -> bool:
    try:
        Webhook(text).verify(body, signed, json_parse=False)
    except (WebhookVerificationError, ValueError):  # the library lets malformed headers and bodies through as these
        return False
    return True


def _add_secret(source: WebhookSource, *, at: datetime) -> str:
    secret = WebhookSecret.objects.create(source=source, nonce=webhook_secrets.new_nonce(), created_at=at)
    return next(webhook_secrets.texts_of(secret.nonce, purpose=PURPOSE))


def _require_mapping(mapping: Any) -> None:
    try:
        webhook.read_mapping(mapping)
    except ValueError as error:
        raise InvalidInputError(f"The mapping cannot be used: {error}.", pointer="/mapping") from error


def _lock_open(code: str) -> WebhookSource:
    source = WebhookSource.objects.select_for_update().filter(code=code).first()
    if source is None:
        raise NotFoundError("There is no such webhook source.")
    if source.closed_at is not None:
        raise SourceClosedError("This source was closed; make another.")
    return source


def _record(action: str, source: WebhookSource, *, actor: Any, at: datetime, facts: dict[str, Any]) -> None:
    audit.append_entry(action=action, subject=f"webhook_source:{source.code}", actor=actor, facts=facts, at=at)
