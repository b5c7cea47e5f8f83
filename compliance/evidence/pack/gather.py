"""All the small files of a pack: everything but the events, which are streamed."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compliance.evidence import verify
from compliance.evidence.pack import agreements, decisions, money, shown, told, usage, wording
from compliance.evidence.pack.reach import Reach, reach_of
from compliance.evidence.pack.shown import Shown
from core import canonical
from invoicing.cycle import content, pdf
from invoicing.cycle.models import Invoice, InvoiceLine
from invoicing.documents import store

USAGE = "usage.json"
README = """An evidence pack of Billing Ops: {what}

Check it on any machine with Python 3.11 or later, without a network and without us:

    python3 -I verify.py {name}

It works out every figure again, from the events to the total, and names the first thing that does not hold. The same
program is compliance/evidence/verify.py of Billing Ops; take it from there if you do not want to trust this copy.

invoice.json     numbers, dates, who drafted and approved, which rating each line is
content.json     the figures and facts of the invoice, exactly as they were hashed and approved
ratings.json     each quantity at its price: computation, exact and rounded amount
prices.json      price, plan, fee table and tax versions with their effective instants; subscriptions; agreed terms
usage.json       what was measured: snapshots with digests, meter versions, event contracts, the files of events
events/          the source events, one JSON object a line, in the order of capture, corrections among them
decisions.json   moves of the invoice, approvals, holds, breaks, reconciliations, delta reports
money.json       what is to be paid and was paid, holds on its collection, what corrects it, disputes; if none, none
policy.json      the trigger policy with the signatures under it
ledger.json      journal entries of the invoice and of its payments
people.json      the names behind the numbers of people
invoice.pdf      the document, where there is one
manifest.json    SHA-256 of each of these files, and how many there are of each kind of thing: 0 where there is none
chain.ndjson     the audit chain from the first entry about this invoice to the one that names the manifest
seal.json        the manifest's hash and the signed head of that chain
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """The small files by name, what they rest on, and one hash over all of it: equal hash, equal pack."""

    invoice: Invoice
    line: InvoiceLine | None
    files: dict[str, bytes]
    reach: Reach
    shown: Shown
    kinds: dict[str, int]  # how many there are of each kind of thing; 0 where there is none
    facts_sha256: str

    @property
    def event_count(self) -> int:
        """About how many events are to be written: each stream has at least those of its largest snapshot."""
        counts: dict[str, int] = {}
        for pk, name in self.reach.stream_of.items():
            counts[name] = max(counts.get(name, 0), self.reach.snapshots[pk].event_count)
        return sum(counts.values())


def gather(invoice: Invoice, *, line: InvoiceLine | None) -> Gathered:
    """Read everything; events are known by their snapshots, which never change."""
    reach, above = reach_of(invoice, line=line), told.tell(invoice)
    documents: dict[str, Any] = {
        "invoice.json": decisions.invoice_of(invoice),
        "ratings.json": agreements.ratings_of(reach),
        "prices.json": agreements.prices_of(invoice, reach),
        USAGE: usage.usage_of(reach),
        "decisions.json": decisions.decisions_of(invoice),
        "policy.json": decisions.policy_of(invoice),
        "ledger.json": decisions.ledger_of(invoice),
        "money.json": money.money_of(invoice, told=above),
    }
    documents["people.json"] = decisions.people_of(documents.values())
    files = {
        "README.txt": README.format(what=_title(invoice, line), name=file_name(invoice, line)).encode(),
        "verify.py": Path(verify.__file__).read_bytes(),
        "content.json": canonical.canonical_bytes(content.document_of_rows(invoice)),
        **{name: wording.document(document) for name, document in documents.items()},
    }
    document = store.load(pdf.document_key(invoice.pk))
    opened = None if document is None else document.opened()
    if opened is not None:
        files["invoice.pdf"] = opened
    return Gathered(
        invoice=invoice,
        line=line,
        files=files,
        reach=reach,
        kinds=_kinds_of(documents),
        shown=shown.shown_of(invoice, reach, told=above),
        facts_sha256=_hash_of(files),
    )


def _kinds_of(documents: Mapping[str, Any]) -> dict[str, int]:
    """So that a pack says of each kind of thing that there is none, instead of passing over it."""
    decided, policy = documents["decisions.json"], documents["policy.json"]
    lists = {
        **{kind: rows for kind, rows in documents["money.json"].items() if isinstance(rows, list)},
        **decided,
        "lines": documents["invoice.json"]["lines"],
        "snapshots": documents[USAGE]["snapshots"],
        "contract_versions": documents[USAGE]["contracts"],
        "sign_offs": [] if policy is None else policy["sign_offs"],
        "journal_entries": documents["ledger.json"],
    }
    return {kind: len(rows) for kind, rows in sorted(lists.items())}


def file_name(invoice: Invoice, line: InvoiceLine | None) -> str:
    """evidence-LUM-000002.zip, or evidence-LUM-000002-line-1.zip."""
    part = "" if line is None else f"-line-{line.position}"
    return f"evidence-{invoice.number or f'draft-{invoice.pk}'}{part}.zip"


def _title(invoice: Invoice, line: InvoiceLine | None) -> str:
    return f"invoice {invoice}" if line is None else f"line {line.position} of invoice {invoice}"


def _hash_of(files: dict[str, bytes]) -> str:
    total = hashlib.sha256()
    for name, content_ in sorted(files.items()):
        total.update(f"{name}\n{hashlib.sha256(content_).hexdigest()}\n".encode())
    return total.hexdigest()
