"""Idempotency-Key on writing calls: the first answer is stored and replayed, other bodies are refused."""

import hashlib
from datetime import datetime

from django.db import transaction
from django.http import HttpResponse

from core.errors import DomainError
from core.models import IdempotentAnswer

KEY_LENGTH_MAX = 255


class KeyReusedError(DomainError):
    """The same key came with another body."""

    code = "idempotency_key_reused"
    http_status = 422


class CallRunningError(DomainError):
    """The first call with this key has not finished."""

    code = "idempotency_call_running"
    http_status = 409


class BadKeyError(DomainError):
    """The key cannot be used."""

    code = "idempotency_key_invalid"
    http_status = 400


def clean_key(header: str) -> str:
    """The key without the quotes that the IETF draft asks for and most clients leave out."""
    key = header.strip()
    if len(key) >= 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not key or len(key) > KEY_LENGTH_MAX or not key.isascii() or not key.isprintable():
        raise BadKeyError(f"Idempotency-Key must be 1 to {KEY_LENGTH_MAX} printable ASCII characters.")
    return key


def claim(*, actor: str, route: str, key: str, body: bytes, at: datetime) -> IdempotentAnswer | None:
    """Insert first: None means this call is the first and must run; otherwise the stored answer to replay."""
    body_hash = hashlib.sha256(body).hexdigest()
    with transaction.atomic():
        inserted = IdempotentAnswer.objects.bulk_create(
            [IdempotentAnswer(actor=actor, route=route, key=key, body_hash=body_hash, created_at=at)],
            ignore_conflicts=True,
        )
        stored = IdempotentAnswer.objects.select_for_update().get(actor=actor, route=route, key=key)
        del inserted
    return _judge(stored, body_hash=body_hash, at=at)


def _judge(stored: IdempotentAnswer, *, body_hash: str, at: datetime) -> IdempotentAnswer | None:
    if stored.body_hash != body_hash:
        raise KeyReusedError("This Idempotency-Key was used with another body; use a new key for a new request.")
    if stored.status is None and stored.created_at != at:
        raise CallRunningError("The first call with this Idempotency-Key is still running; ask again in a moment.")
    return stored if stored.status is not None else None


def store_answer(*, actor: str, route: str, key: str, response: HttpResponse) -> None:
    """Keep the answer, whatever its status, for later calls with the same key."""
    IdempotentAnswer.objects.filter(actor=actor, route=route, key=key).update(
        status=response.status_code, content_type=response.headers.get("Content-Type", ""), body=response.content
    )


def forget(*, actor: str, route: str, key: str) -> None:
    """Free a key whose call failed before it decided anything, so that the retry runs."""
    IdempotentAnswer.objects.filter(actor=actor, route=route, key=key, status=None).delete()
