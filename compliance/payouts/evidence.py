"""Keep documents that were looked at for a gate."""

import hashlib
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import roles
from accounts.roles import Role
from compliance.payouts.models import EvidenceFile, GateCheck, Payee
from compliance.payouts.models.gates import EVIDENCE_BYTES_MAX
from compliance.payouts.rules import documents
from core import audit, personal_keys
from core.errors import InvalidInputError, NotFoundError


@transaction.atomic
def add_file(*, check_id: int, name: str, content: bytes, actor: Any, at: datetime) -> EvidenceFile:
    """Store a PDF, PNG or JPEG with its SHA-256; the same bytes on the same gate are stored once."""
    roles.require_role(actor, Role.OPS, to="add evidence to gate checks")
    if not 1 <= len(content) <= EVIDENCE_BYTES_MAX:
        raise InvalidInputError(f"A file has 1 byte to {EVIDENCE_BYTES_MAX // 1024**2} MiB.", pointer="/content")
    media_type = documents.media_type_of(content)
    if media_type is None:
        raise InvalidInputError("Evidence is a PDF, a PNG or a JPEG.", pointer="/content")
    check = GateCheck.objects.select_for_update(of=("self",)).select_related("payee").filter(pk=check_id).first()
    if check is None:
        raise NotFoundError(f"There is no gate check {check_id}.")
    sha256 = hashlib.sha256(content).hexdigest()
    stored = check.evidence_files.filter(sha256=sha256).first()
    if stored is not None:
        return stored
    file = check.evidence_files.create(
        name=personal_keys.tell_about(check.payee, documents.safe_name(name)),
        media_type=media_type,
        content=_sealed(check.payee, content),
        size=len(content),
        sha256=sha256,
        added_by=actor,
        added_at=at,
    )
    audit.append_entry(
        action="gate_check.evidence_added",
        subject=f"gate_check:{check.pk}",
        actor=actor,
        facts={"name": file.name, "sha256": sha256, "size": file.size},
        at=at,
    )
    return file


def _sealed(payee: Payee, content: bytes) -> bytes:
    """Under the key of the payee; PersonErasedError where that was destroyed."""
    key_id = payee.personal_key_id
    return content if key_id is None else personal_keys.seal_bytes(content, key_id=key_id)
