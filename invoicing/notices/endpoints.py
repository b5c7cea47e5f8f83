"""Endpoints of other systems: made, changed, given a new secret and closed, each with an entry in the audit chain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from accounts import roles
from accounts.roles import Role
from core import audit, history, outbound, webhook_secrets
from core.errors import DomainError, InvalidInputError, NotFoundError
from invoicing.notices.models import Endpoint, EndpointSecret, Topic

PURPOSE = b"notices.endpoints\n"
KEEPERS = (Role.ENGINEERING, Role.OPS)
OVERLAP_HOURS_MAX = 30 * 24


class EndpointClosedError(DomainError):
    """A closed endpoint stays closed."""

    code = "endpoint_closed"


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A secret at the one moment at which it can be read."""

    endpoint: Endpoint
    text: str


def create_endpoint(
    *, code: str, description: str, url: str, topics: Sequence[str], actor: Any, at: datetime
) -> NewSecret:
    """Make an endpoint with its first secret, whose text cannot be read again."""
    roles.require_role(actor, *KEEPERS, to="make an endpoint")
    _require_usable(url, topics)
    endpoint = Endpoint(code=code, description=description, url=url, topics=sorted(set(topics)), created_at=at)
    with transaction.atomic():
        endpoint.full_clean()
        history.save_new(endpoint, actor=actor)
        _record("endpoint.created", endpoint, actor=actor, at=at, facts={"url": url, "topics": endpoint.topics})
        return NewSecret(endpoint, _add_secret(endpoint, at=at))


def change_endpoint(*, endpoint_id: int, changes: Mapping[str, Any], actor: Any, at: datetime) -> Endpoint:
    """Change words, address or topics; it counts from the next notice on."""
    roles.require_role(actor, *KEEPERS, to="change an endpoint")
    with transaction.atomic():
        endpoint = _lock_open(endpoint_id)
        url, topics = changes.get("url", endpoint.url), changes.get("topics", endpoint.topics)
        _require_usable(url, topics)
        endpoint.url, endpoint.topics = url, sorted(set(topics))
        endpoint.description = changes.get("description", endpoint.description)
        endpoint.clean_fields()
        history.save_change(endpoint, fields=["description", "url", "topics"], actor=actor)
        _record("endpoint.changed", endpoint, actor=actor, at=at, facts={"url": url, "topics": endpoint.topics})
    return endpoint


def rotate_secret(*, endpoint_id: int, overlap_hours: int, actor: Any, at: datetime) -> NewSecret:
    """Make a new secret; the one before signs beside it for some hours more, and any older one no longer."""
    roles.require_role(actor, *KEEPERS, to="replace the secret of an endpoint")
    if not 0 <= overlap_hours <= OVERLAP_HOURS_MAX:
        raise InvalidInputError(f"Let both sign for 0 to {OVERLAP_HOURS_MAX} hours.", pointer="/overlap_hours")
    with transaction.atomic():
        endpoint = _lock_open(endpoint_id)
        endpoint.secrets.filter(ends_at__gt=at).update(ends_at=at)
        endpoint.secrets.filter(ends_at=None).update(ends_at=at + timedelta(hours=overlap_hours))
        text = _add_secret(endpoint, at=at)
        facts = {"overlap_hours": overlap_hours}
        _record("endpoint.secret_rotated", endpoint, actor=actor, at=at, facts=facts)
    return NewSecret(endpoint, text)


def close_endpoint(*, endpoint_id: int, reason: str, actor: Any, at: datetime) -> Endpoint:
    """Call this endpoint no more; what it was told stays on record."""
    roles.require_role(actor, *KEEPERS, to="close an endpoint")
    if not reason.strip():
        raise InvalidInputError("Say why it is not called any more.", pointer="/reason")
    with transaction.atomic():
        endpoint = _lock_open(endpoint_id)
        endpoint.closed_at = at
        history.save_change(endpoint, fields=["closed_at"], actor=actor, reason=reason[:100])
        endpoint.secrets.filter(Q(ends_at=None) | Q(ends_at__gt=at)).update(ends_at=at)
        _record("endpoint.closed", endpoint, actor=actor, at=at, facts={"reason": reason})
    return endpoint


def signing_secrets(endpoint: Endpoint, *, at: datetime) -> list[str]:
    """The secrets that sign now, the newest first: more than one while one is being replaced."""
    live = endpoint.secrets.filter(Q(ends_at=None) | Q(ends_at__gt=at))
    return [next(webhook_secrets.texts_of(secret.nonce, purpose=PURPOSE)) for secret in live]


def _add_secret(endpoint: Endpoint, *, at: datetime) -> str:
    secret = EndpointSecret.objects.create(endpoint=endpoint, nonce=webhook_secrets.new_nonce(), created_at=at)
    return next(webhook_secrets.texts_of(secret.nonce, purpose=PURPOSE))


def _require_usable(url: str, topics: Sequence[str]) -> None:
    if flaw := outbound.find_flaw(url):
        raise InvalidInputError(f"The address {flaw}.", pointer="/url")
    if not topics or not set(topics) <= set(Topic.values):
        raise InvalidInputError(f"Name at least one of these topics: {', '.join(Topic.values)}.", pointer="/topics")


def _lock_open(endpoint_id: int) -> Endpoint:
    endpoint = Endpoint.objects.select_for_update().filter(pk=endpoint_id).first()
    if endpoint is None:
        raise NotFoundError("There is no such endpoint.")
    if endpoint.closed_at is not None:
        raise EndpointClosedError("This endpoint was closed; make another.")
    return endpoint


def _record(action: str, endpoint: Endpoint, *, actor: Any, at: datetime, facts: dict[str, Any]) -> None:
    audit.append_entry(action=action, subject=f"endpoint:{endpoint.code}", actor=actor, facts=facts, at=at)
