"""Make a pack: gather, stream the events, seal it into the audit chain, and keep it."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from itertools import islice
from typing import IO, Any

from django.db import transaction

from compliance.evidence import verify
from compliance.evidence.models import EvidencePack, EvidencePackPart
from compliance.evidence.pack import gather as gathering
from compliance.evidence.pack import seal, wording
from compliance.evidence.pack.gather import Gathered
from compliance.evidence.pack.zipping import PackWriter
from core import bulk, canonical, personal_keys
from core.errors import DomainError
from invoicing.cycle.models import Invoice, InvoiceLine
from metering import queries as metering_queries
from metering.queries import EvidenceStream

EVENTS_PER_FILE = 50_000
EVENTS_PER_BLOCK = 1000
PART_BYTES = 1 << 20
Progress = Callable[[int], object]


def find_pack(*, invoice: Invoice, line: InvoiceLine | None) -> EvidencePack | None:
    """The pack that says what is true now; None where there is none, or where something happened since."""
    return _find(gathering.gather(invoice, line=line))


def make_pack(
    *, invoice: Invoice, line: InvoiceLine | None, actor: Any, at: datetime, progress: Progress = lambda _: None
) -> EvidencePack:
    """The pack as things stand; made only where there is none that says the same. `progress` is told events written."""
    gathered = gathering.gather(invoice, line=line)
    found = _find(gathered)
    if found is not None:
        return found
    with tempfile.TemporaryFile() as file:
        writer = PackWriter(file)
        event_count = _write_files(writer, gathered, progress)
        manifest = canonical.canonical_bytes(_manifest(gathered, writer, event_count=event_count))
        sealed = seal.seal_manifest(
            invoice=invoice, manifest_sha256=hashlib.sha256(manifest).hexdigest(), line=line, actor=actor, at=at
        )
        for name, content in seal.files_of(sealed, manifest=manifest, shown=gathered.shown).items():
            writer.add(name, [content])
        writer.close()
        return _keep(file, gathered=gathered, sealed=sealed, event_count=event_count, actor=actor, at=at)


class PackErasedError(DomainError):
    """The pack named a person who was erased since; one that is made now does not."""

    code = "pack_erased"
    http_status = 410


def read_pack(pack: EvidencePack) -> Iterator[bytes]:
    """The bytes of the ZIP, part by part; PackErasedError, before the first, where whom it names was erased."""
    key_id = pack.invoice.personal_key_id if pack.is_sealed else None
    if key_id is not None and personal_keys.is_destroyed(key_id):
        words = personal_keys.erased_words(key_id)
        raise PackErasedError(f"The customer was {words}, and this pack with them; make a new one.")
    contents = pack.parts.order_by("position").values_list("content", flat=True).iterator(chunk_size=4)
    return (_opened(bytes(content), key_id) for content in contents)


def _opened(content: bytes, key_id: int | None) -> bytes:
    return content if key_id is None else personal_keys.open_under(key_id, content) or b""


def _find(gathered: Gathered) -> EvidencePack | None:
    return EvidencePack.objects.filter(
        invoice=gathered.invoice, line=gathered.line, facts_sha256=gathered.facts_sha256
    ).first()


def _write_files(writer: PackWriter, gathered: Gathered, progress: Progress) -> int:
    """Everything but manifest, chain and seal; how many events."""
    for name, content in gathered.files.items():
        if name != gathering.USAGE:
            writer.add(name, [content])
    done, streams = 0, []
    for name, stream in gathered.reach.streams.items():
        files = []
        for path, count in _write_stream(writer, name, stream):
            files.append({"path": path, "events": count})
            done += count
            progress(done)
        streams.append(_stream_facts(name, stream, files))
    usage = verify.read_json(gathered.files[gathering.USAGE]) | {"streams": streams}
    writer.add(gathering.USAGE, [wording.document(usage)])
    return done


def _write_stream(writer: PackWriter, name: str, stream: EvidenceStream) -> Iterator[tuple[str, int]]:
    """Files of so many events each; every one closed before the next begins."""
    with closing(metering_queries.evidence_lines(stream)) as lines:
        number = 0
        while first := list(islice(lines, EVENTS_PER_BLOCK)):
            number += 1
            counted = [len(first)]
            path = f"events/{name}/{number:05}.ndjson"
            writer.add(path, _blocks(first, lines, counted))
            yield path, counted[0]


def _blocks(first: list[str], lines: Iterator[str], counted: list[int]) -> Iterator[bytes]:
    yield _joined(first)
    while counted[0] < EVENTS_PER_FILE and (more := list(islice(lines, EVENTS_PER_BLOCK))):
        counted[0] += len(more)
        yield _joined(more)


def _joined(lines: list[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode()


def _stream_facts(name: str, stream: EvidenceStream, files: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "key": name,
        "type": stream.event_type,
        "customer": stream.customer_code,
        "contract": stream.contract_id,
        "start": wording.instant(stream.start),
        "end": wording.instant(stream.end),
        "up_to": stream.up_to_seq,
        "events": sum(file["events"] for file in files),
        "files": files,
    }


def _manifest(gathered: Gathered, writer: PackWriter, *, event_count: int) -> dict[str, Any]:
    invoice, line = gathered.invoice, gathered.line
    return {
        "format": verify.FORMAT,
        "invoice": invoice.pk,
        "number": invoice.number,
        "line": None if line is None else line.position,
        "kinds": gathered.kinds | {"source_events": event_count},
        "files": [each.as_json() for each in writer.written],
    }


@transaction.atomic
def _keep(
    file: IO[bytes], *, gathered: Gathered, sealed: seal.Sealed, event_count: int, actor: Any, at: datetime
) -> EvidencePack:
    key = gathered.invoice.personal_key
    key_id = None if key is None or key.destroyed_at is not None else key.pk
    size = file.seek(0, 2)
    file.seek(0)
    digest = hashlib.sha256()
    for block in iter(lambda: file.read(PART_BYTES), b""):
        digest.update(block)
    file.seek(0)
    pack, is_new = EvidencePack.objects.get_or_create(
        invoice=gathered.invoice,
        line=gathered.line,
        facts_sha256=gathered.facts_sha256,
        defaults={
            "manifest_sha256": sealed.manifest_sha256,
            "sha256": digest.hexdigest(),
            "size": size,
            "event_count": event_count,
            "file_name": gathering.file_name(gathered.invoice, gathered.line),
            "audit_entry": sealed.entry,
            "head": sealed.head,
            "is_sealed": key_id is not None,
            "made_by": actor,
            "made_at": at,
        },
    )
    if is_new:
        for position, block in enumerate(iter(lambda: file.read(PART_BYTES), b"")):
            content = block if key_id is None else personal_keys.seal_under(key_id, block)
            bulk.insert_rows([EvidencePackPart(pack=pack, position=position, content=content)])
    return pack
