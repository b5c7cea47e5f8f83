"""What must hold of packs."""

import hashlib

from compliance.evidence.models import EvidencePack
from compliance.evidence.pack import make
from core.aead import SealBrokenError
from core.invariants import Invariant, rows_of


def _find_other_bytes() -> list[str]:
    """Packs whose stored parts are not the ZIP that they name; read part by part, for a pack may be large."""
    packs = EvidencePack.objects.select_related("invoice").order_by("pk")
    return [f"pack {pack.pk}, {pack}" for pack in packs if _hash_of(pack) != pack.sha256]


def _hash_of(pack: EvidencePack) -> str:
    """Of a pack whose person was erased, what it is to be: nobody can read it any more."""
    digest = hashlib.sha256()
    try:
        for block in make.read_pack(pack):
            digest.update(block)
    except make.PackErasedError:
        return pack.sha256
    except SealBrokenError:
        return ""
    return digest.hexdigest()


INVARIANTS = [
    Invariant(number=49, name="the parts of a pack are the ZIP that it names", find_offenders=_find_other_bytes),
    Invariant(
        number=49,
        name="the audit chain names the manifest of every pack",
        find_offenders=rows_of(
            """
            SELECT pack.id AS pack, pack.file_name FROM evidence_evidencepack pack
            JOIN core_auditentry entry ON entry.id = pack.audit_entry_id
            JOIN core_audithead head ON head.id = pack.head_id
            WHERE entry.action <> 'evidence.sealed' OR entry.subject <> 'invoice:' || pack.invoice_id
               OR entry.facts ->> 'manifest_sha256' IS DISTINCT FROM pack.manifest_sha256 OR head.number <> entry.id
            ORDER BY pack.id
            """
        ),
    ),
]
