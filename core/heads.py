"""Signed heads of the audit chain: how far it reached at an instant, under a key that the database does not hold."""

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from core import canonical, ed25519
from core.models import AuditEntry, AuditHead

PURPOSE = b"billing-ops: heads of the audit chain"


def signing_seed() -> bytes:
    """AUDIT_SIGNING_KEY (64 hex digits); without one a key of its own that follows from SECRET_KEY."""
    if settings.AUDIT_SIGNING_KEY:
        return bytes.fromhex(settings.AUDIT_SIGNING_KEY)
    return hmac.new(settings.SECRET_KEY.encode(), PURPOSE, hashlib.sha256).digest()


def public_key() -> str:
    """What verifies our heads, in hex: to be published where auditors find it."""
    return ed25519.public_key(signing_seed()).hex()


def sign_head(*, at: datetime) -> AuditHead | None:
    """Sign how far the chain reaches; the same head for as long as it goes no further, None for an empty chain."""
    last = AuditEntry.objects.order_by("-id").values_list("id", "entry_hash").first()
    if last is None:
        return None
    key = public_key()
    number, entry_hash = last
    head = AuditHead(
        number=number,
        entry_hash=entry_hash,
        first_hash=AuditEntry.objects.order_by("id").values_list("entry_hash", flat=True)[0],
        signed_at=at,
        public_key=key,
    )
    if not AuditHead.objects.filter(number=number, public_key=key).exists():
        head.signature = ed25519.sign(message_of(as_document(head)), seed=signing_seed()).hex()
        AuditHead.objects.bulk_create([head], ignore_conflicts=True)  # two at once: the first one stands
    return AuditHead.objects.get(number=number, public_key=key)


def as_document(head: AuditHead) -> dict[str, Any]:
    """The head as it travels: whoever has this can check it without this database."""
    return {
        "chain": head.first_hash,
        "number": head.number,
        "entry_hash": head.entry_hash,
        "signed_at": head.signed_at.astimezone(UTC).isoformat(),
        "public_key": head.public_key,
        "signature": head.signature,
    }


def message_of(document: dict[str, Any]) -> bytes:
    """The bytes that are signed: everything but key and signature."""
    said = {name: document[name] for name in ("chain", "number", "entry_hash", "signed_at")}
    return canonical.canonical_bytes(said)


def find_flaws(documents: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Of heads as they travelled: those that nobody signed, and those that the chain here contradicts."""
    numbers = [document["number"] for document in documents]
    known = dict(AuditEntry.objects.filter(pk__in=[*numbers, 1]).values_list("pk", "entry_hash"))
    for document in documents:
        if flaw := _find_flaw(document, known):
            yield f"the head of entry {document['number']}: {flaw}"


def _find_flaw(document: dict[str, Any], known: dict[int, str]) -> str | None:
    signature, key = bytes.fromhex(document["signature"]), bytes.fromhex(document["public_key"])
    if not ed25519.is_valid(message_of(document), signature=signature, key=key):
        return "its signature is not of these words"
    if known.get(1) != document["chain"]:
        return "it is of a chain that begins otherwise"
    if document["number"] not in known:
        last = AuditEntry.objects.order_by("-id").values_list("pk", flat=True).first()
        return f"the chain ends at entry {last}; its tail is missing"
    return None if known[document["number"]] == document["entry_hash"] else "the entry there is another one"
