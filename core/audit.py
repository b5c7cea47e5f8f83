"""The audit chain: every entry carries the hash of the one before it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from core import canonical, locks, told
from core.models import AuditEntry

GENESIS = "0" * 64
FORM = 2  # of the entries that are written now


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What happened, to what, with which particulars (plain JSON values)."""

    action: str
    subject: str
    facts: dict[str, Any]


def append_entry(
    *, action: str, subject: str, actor: AbstractBaseUser | None, facts: dict[str, Any], at: datetime
) -> AuditEntry:
    """Append one link inside the caller's transaction; the chain is locked until that transaction ends."""
    return append_entries([Fact(action=action, subject=subject, facts=facts)], actor=actor, at=at)[0]


def append_entries(facts: Sequence[Fact], *, actor: AbstractBaseUser | None, at: datetime) -> list[AuditEntry]:
    """Append many links at once, in order, with one lock and one insert; what was told of persons stays sealed."""
    locks.lock_exclusive(locks.LockClass.AUDIT)
    last = AuditEntry.objects.order_by("-id").first()
    number = 0 if last is None else last.id
    previous = GENESIS if last is None else last.entry_hash
    entries = []
    for fact in facts:
        number += 1
        entry = AuditEntry(
            id=number,
            reference=f"AUD-{number:010d}",
            action=fact.action,
            subject=fact.subject,
            actor_id=None if actor is None else actor.pk,
            facts=told.kept_within(fact.facts),
            recorded_at=at,
            form=FORM,
            previous_hash=previous,
        )
        entry.content_hash = canonical.content_hash(content_of(entry))
        entry.entry_hash = previous = entry_digest(entry)
        entries.append(entry)
    return AuditEntry.objects.bulk_create(entries, batch_size=2000)


def last_number() -> int:
    """How far the chain has come; what is appended by a transaction that has not ended is not in it."""
    return AuditEntry.objects.order_by("-id").values_list("id", flat=True).first() or 0


def entries_about(subjects: Sequence[str], *, actions: Sequence[str], after: int) -> list[AuditEntry]:
    """What was done to any of these, in order, behind that number."""
    found = AuditEntry.objects.filter(id__gt=after, subject__in=subjects, action__in=actions)
    return list(found.order_by("id"))


def content_of(entry: AuditEntry) -> dict[str, Any]:
    """What an entry says, without its place in the chain."""
    return {
        "reference": entry.reference,
        "action": entry.action,
        "subject": entry.subject,
        "actor": entry.actor_id,
        "facts": entry.facts,
        "recorded_at": entry.recorded_at,
    }


def entry_digest(entry: AuditEntry) -> str:
    """SHA-256 that joins what the entry says to the hash of the entry before it, in the form it was written in."""
    content = content_of(entry)
    if entry.form == 1:
        return canonical.content_hash({**content, "previous": entry.previous_hash})
    return link(entry.previous_hash, canonical.content_hash(content))


def link(previous_hash: str, content_hash: str) -> str:
    """The hash of an entry of form 2, from two hashes in hex."""
    return hashlib.sha256(f"{previous_hash}{content_hash}".encode()).hexdigest()


def find_first_broken_entry() -> AuditEntry | None:
    """Walk the chain from its start; the first entry that was edited, dropped before, or moved — or None."""
    previous = GENESIS
    for number, entry in enumerate(AuditEntry.objects.order_by("id").iterator(chunk_size=2000), start=1):
        if entry.id != number or entry.previous_hash != previous or not _is_intact(entry):
            return entry
        previous = entry.entry_hash
    return None


def _is_intact(entry: AuditEntry) -> bool:
    says = canonical.content_hash(content_of(entry)) if entry.form != 1 else ""
    return entry.content_hash == says and entry.entry_hash == entry_digest(entry)
