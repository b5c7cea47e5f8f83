"""The seal of a pack: its manifest's hash in the audit chain, that chain's segment, and a signed head over it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from compliance.evidence.pack.shown import Shown
from core import audit, canonical, heads
from core.models import AuditEntry, AuditHead
from invoicing.cycle.models import Invoice, InvoiceLine

ACTION = "evidence.sealed"


@dataclass(frozen=True, slots=True)
class Sealed:
    """The entry that names a manifest, and the head of the chain that ends with it."""

    manifest_sha256: str
    entry: AuditEntry
    head: AuditHead


@transaction.atomic
def seal_manifest(
    *, invoice: Invoice, manifest_sha256: str, line: InvoiceLine | None, actor: Any, at: datetime
) -> Sealed:
    """Write the manifest's hash into the audit chain and sign the chain up to there; the same manifest only once."""
    subject = f"invoice:{invoice.pk}"
    known = AuditEntry.objects.filter(subject=subject, action=ACTION, facts__manifest_sha256=manifest_sha256)
    entry = known.order_by("pk").first()
    head = None if entry is None else AuditHead.objects.filter(number=entry.pk).order_by("pk").first()
    if entry is None or head is None:
        facts = {"manifest_sha256": manifest_sha256, "line": None if line is None else line.position}
        entry = audit.append_entry(action=ACTION, subject=subject, actor=actor, facts=facts, at=at)
        head = heads.sign_head(at=at)  # nobody appends before this transaction ends, so the head is this entry
        assert head is not None  # noqa: S101  the chain has an entry
    return Sealed(manifest_sha256, entry, head)


def files_of(sealed: Sealed, *, manifest: bytes, shown: Shown) -> dict[str, bytes]:
    """manifest.json, chain.ndjson and seal.json."""
    chain = b"".join(_links(sealed.entry, shown))
    said = {
        "manifest_sha256": sealed.manifest_sha256,
        "chain_sha256": hashlib.sha256(chain).hexdigest(),
        "head": heads.as_document(sealed.head),
    }
    return {"manifest.json": manifest, "chain.ndjson": chain, "seal.json": canonical.canonical_bytes(said)}


def _links(last: AuditEntry, shown: Shown) -> Iterator[bytes]:
    """From the first entry that is needed to the sealing one; of entries about anything else only the hashes."""
    for entry in AuditEntry.objects.filter(pk__range=(shown.since, last.pk)).order_by("pk").iterator(chunk_size=2000):
        yield canonical.canonical_bytes(_link(entry, is_shown=shown.holds(entry))) + b"\n"


def _link(entry: AuditEntry, *, is_shown: bool) -> dict[str, Any]:
    link: dict[str, Any] = {"number": entry.pk, "form": entry.form, "previous": entry.previous_hash}
    if entry.form == 1:
        link["entry_hash"] = entry.entry_hash
        content = {**audit.content_of(entry), "previous": entry.previous_hash}
    else:
        link["content_hash"] = entry.content_hash
        content = audit.content_of(entry)
    return link | ({"says": canonical.canonical_bytes(content).decode()} if is_shown else {})
