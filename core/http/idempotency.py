"""Idempotency-Key: the first answer is stored with its effect and replayed; no other request may use the key."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import orjson
from django.db import connection
from django.http import HttpResponse

from core import json_words
from core.errors import DomainError
from core.models import IdempotentAnswer

KEY_LENGTH_MAX = 255
QUOTE = '"'


class KeyReusedError(DomainError):
    """The same key came with another request, to the same address or another one."""

    code = "idempotency_key_reused"
    http_status = 422


class MissingKeyError(DomainError):
    """The call could not be repeated safely without a key, and has none."""

    code = "idempotency_key_missing"
    http_status = 400


class BadKeyError(DomainError):
    """The key cannot be used."""

    code = "idempotency_key_invalid"
    http_status = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One writing call: by whom, to which route, under which key, and what exactly was asked."""

    actor: str
    route: str
    key: str
    request_hash: str


def clean_key(header: str) -> str:
    """The key without the quotes that the IETF draft asks for and most clients leave out."""
    key = header.strip()
    if len(key) > 1 and key.startswith(QUOTE) and key.endswith(QUOTE):
        key = key[1:-1]
    if not key or len(key) > KEY_LENGTH_MAX or not key.isascii() or not key.isprintable():
        raise BadKeyError(f"Idempotency-Key must be 1 to {KEY_LENGTH_MAX} printable ASCII characters.")
    return key


def hash_request(*, path: str, body: bytes) -> str:
    """What a repeat must equal: the exact address and the exact body."""
    return hashlib.sha256(path.encode() + b"\n" + body).hexdigest()


def claim(call: Call, *, at: datetime) -> IdempotentAnswer | None:
    """Insert first, inside the transaction of the effect: None means this call is the first and must run.

    A repeat that comes while the first is running waits here until that transaction ends: committed, its answer is
    returned; rolled back, this call becomes the first.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_idempotentanswer (actor, route, key, body_hash, content_type, created_at)"
            " VALUES (%s, %s, %s, %s, '', %s) ON CONFLICT (actor, key) DO NOTHING RETURNING id",
            [call.actor, call.route, call.key, call.request_hash, at],
        )
        if cursor.fetchone():
            return None
    stored = IdempotentAnswer.objects.get(actor=call.actor, key=call.key)
    if (stored.route, stored.body_hash) != (call.route, call.request_hash):
        raise KeyReusedError("This Idempotency-Key was used for another request; use a new key for a new request.")
    return stored


def store_answer(call: Call, response: HttpResponse) -> None:
    """Keep the answer for later calls with the same key; it commits together with the effect."""
    IdempotentAnswer.objects.filter(actor=call.actor, key=call.key).update(
        status=response.status_code, content_type=response.headers.get("Content-Type", ""), body=response.content
    )


def forget_answers(*, words: Collection[str], ids: Collection[str]) -> int:
    """Overwrite the stored answers that say one of these; a repeat of such a call is told that they are gone."""
    gone = orjson.dumps({"type": "about:blank", "title": "Gone", "status": 410, "code": "person_erased"})
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE core_idempotentanswer SET status = 410, content_type = 'application/problem+json', body = %s"
            " WHERE EXISTS (SELECT FROM unnest(%s::text[]) AS word"
            " WHERE position(convert_to(word, 'UTF8') IN body) > 0)",
            [gone, json_words.forms_of(words=words, ids=ids)],
        )
        return int(cursor.rowcount)
