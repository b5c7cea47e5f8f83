"""Anchors: signed heads of the audit chain in places that whoever changes this database does not reach.

Where a chain is cut short, nothing inside it is wrong; only a head that lies elsewhere says that there was more.
"""

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.core.mail import send_mail

from core import heads, outbound
from core.errors import DomainError
from core.models import AuditAnchor, AuditHead

Kind = AuditAnchor.Kind
EMAIL_EVERY = timedelta(hours=20)  # one letter a day, whatever the hour
LATEST = "head.json"
LETTER = (
    "This is a signed head of the audit chain of Billing Ops. Keep it. If the chain is ever doubted,"
    " `manage.py audit_anchor --check FILE` says whether it still contains this line:\n\n{line}\n"
)


class AnchorError(DomainError):
    """A head could not be put into a place, or not be read back from there."""

    code = "anchor"


def places() -> list[tuple[Kind, str]]:
    """Where heads are put, as configured."""
    wanted = (
        (Kind.FILE, settings.AUDIT_ANCHOR_FILE),
        (Kind.EMAIL, settings.AUDIT_ANCHOR_EMAIL),
        (Kind.OBJECT, settings.AUDIT_ANCHOR_URL),
    )
    return [(kind, place) for kind, place in wanted if place]


def anchor_chain(*, at: datetime) -> list[AuditAnchor]:
    """Sign the head and put it into every place that lacks it; AnchorError at the end for those that failed."""
    head = heads.sign_head(at=at)
    if head is None:
        return []
    made, failures = [], []
    for kind, place in places():
        if not _is_due(kind, place, head=head, at=at):
            continue
        try:
            _put(kind, place, head)
        except (OSError, DomainError) as error:
            failures.append(f"{place}: {error}")
        else:
            made.append(AuditAnchor.objects.create(head=head, kind=kind, place=place, placed_at=at))
    if failures:
        raise AnchorError("; ".join(failures))
    return made


def _is_due(kind: Kind, place: str, *, head: AuditHead, at: datetime) -> bool:
    there = AuditAnchor.objects.filter(kind=kind, place=place)
    if kind == Kind.EMAIL and there.filter(placed_at__gt=at - EMAIL_EVERY).exists():
        return False
    return not there.filter(head=head).exists()


def _put(kind: Kind, place: str, head: AuditHead) -> None:
    document = heads.as_document(head)
    if kind == Kind.FILE:
        _append(Path(place), orjson.dumps(document))
    elif kind == Kind.EMAIL:
        letter = LETTER.format(line=orjson.dumps(document).decode())
        send_mail(f"Audit chain at entry {head.number}", letter, None, [place])
    else:
        for name in (f"{head.number:012}.json", LATEST):
            outbound.put(f"{place.rstrip('/')}/{name}", orjson.dumps(document), token=settings.AUDIT_ANCHOR_TOKEN)


def _append(path: Path, line: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(line + b"\n")
        file.flush()
        os.fsync(file.fileno())


def find_flaws() -> Iterator[str]:
    """What the anchors that can be read back say against the chain; a place that cannot be read is said too."""
    for kind, place in places():
        try:
            documents = _read_back(kind, place)
        except (OSError, ValueError, KeyError, DomainError) as error:
            yield f"{place} cannot be read: {error}"
        else:
            yield from (f"{place}: {flaw}. {ADVICE}" for flaw in heads.find_flaws(documents))


ADVICE = (
    "Entries were cut or changed, or an older backup was restored: if that was meant, put the anchors away with the "
    "record of it"
)


def _read_back(kind: Kind, place: str) -> list[dict[str, Any]]:
    """Every head in a file, the latest one in an object store; a letter is read by people."""
    if kind == Kind.FILE:
        path = Path(place)
        return read_lines(path.read_text()) if path.exists() else _lost(kind, place)
    if kind == Kind.OBJECT and AuditAnchor.objects.filter(kind=kind, place=place).exists():
        return read_lines(outbound.get(f"{place.rstrip('/')}/{LATEST}", token=settings.AUDIT_ANCHOR_TOKEN).decode())
    return []


def _lost(kind: Kind, place: str) -> list[dict[str, Any]]:
    if AuditAnchor.objects.filter(kind=kind, place=place).exists():
        raise AnchorError("it is gone")
    return []


def read_lines(text: str) -> list[dict[str, Any]]:
    """Heads as they were put somewhere, one a line; ValueError or KeyError for anything else."""
    found = [orjson.loads(line) for line in text.splitlines() if line.strip()]
    for document in found:
        heads.message_of(document)
        bytes.fromhex(document["signature"] + document["public_key"])
    return found
