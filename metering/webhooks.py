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
from metering.rules.reading import NotABatchError

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
    event = webhook.event_of(
        deliveries[0],
        webhook.read_mapping(source.mapping),
        source=f"webhook/{source.code}",
        webhook_id=headers.get("webhook-id", ""),
        sent_at=str(seconds_text(headers.get("webhook-timestamp", ""))),
    )
    return ingest.capture_events([event], channel=CaptureBatch.Channel.HTTP, origin=f"webhook:{source.code}", at=at)


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
