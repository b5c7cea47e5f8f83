"""Somebody is forgotten: of everything that was kept of them, a dump of the database shows nothing any more."""

from datetime import timedelta
from pathlib import Path

import pytest

from billing_ops.management.commands import check_invariants
from compliance.disputes.models import DisputeLetter, DisputeMessage, DisputeTransition
from compliance.erasure import decide
from compliance.erasure.models import Erasure
from compliance.evidence import trace
from compliance.payouts.models import EvidenceFile, GateDecision, Payable
from core import audit, database_copies, heads
from core.models import AuditHead
from invoicing.cycle import content
from invoicing.cycle.models import CollectionHold, Invoice, InvoiceComment, InvoiceTransition
from metering import quarantine
from metering.models import AggregationSnapshot, QuarantinedEvent
from metering.store import corrections, groups
from tests.builders import erasable, packs, people, said_of_many
from tests.builders.erasable import NOW, SAID, WORDS, Known

pytestmark = pytest.mark.django_db(transaction=True)
GONE = "erased on 26 Nov 2026"
# What lies under no key while somebody is kept: sign-ins are looked up by name, and nobody knows whose the bodies are.
IN_CLEAR_BEFORE = {"auth_user", "metering_quarantinedevent"}


def dump(folder: Path) -> dict[str, list[str]]:
    """What PostgreSQL's own tool writes out, row by row, by table."""
    file = folder / "dump.sql"
    server = database_copies.configured_server()
    database_copies.run_tool("pg_dump", "--data-only", "--inserts", f"--file={file}", server=server)
    found: dict[str, list[str]] = {}
    table = ""
    for line in file.read_text().splitlines():
        table = line.split(" ", 3)[2].removeprefix("public.") if line.startswith("INSERT INTO ") else table
        found.setdefault(table, []).append(line)
    return found


def in_clear(rows: dict[str, list[str]]) -> dict[str, set[str]]:
    """Which words stand in which table, as text, escaped as in JSON, or as bytes."""
    found: dict[str, set[str]] = {}
    for word in WORDS:
        forms = (word, word.encode().hex(), word.encode("unicode_escape").decode())
        for table, lines in rows.items():
            if any(form in line for line in lines for form in forms):
                found.setdefault(table, set()).add(word)
    return found


def erase(known: Known, kind: str, code: str) -> Erasure:
    asked = decide.ask_erasure(kind=kind, code=code, ground="asked", reference="T-9", actor=known.ops, at=NOW)
    return decide.approve_erasure(request_id=asked.pk, actor=known.finance, at=NOW)


def what_was_written(known: Known) -> list[str]:
    """Each place in which somebody wrote something about them, as it reads."""
    lifted = CollectionHold.objects.get()
    [corrected] = corrections.page_of_corrected(AggregationSnapshot.objects.earliest("pk"), after_seq=0, limit=9)
    return [
        *(lifted.reason, lifted.lifting_reason, InvoiceComment.objects.get().text, corrected.why),
        *said_of_many.as_it_reads(),
        *InvoiceTransition.objects.filter(invoice=known.invoice, to_status="held").values_list("reason", flat=True),
        *DisputeMessage.objects.filter(visibility="internal").values_list("text", flat=True),
        *DisputeTransition.objects.filter(outcome="rejected").values_list("reason", flat=True),
        QuarantinedEvent.objects.get(event_id="bad-1").decision_reason,
        GateDecision.objects.get().reason,
        Payable.objects.get().withdrawal_reason,
    ]


def test_a_dump_shows_nothing_of_them_and_everything_still_verifies(tmp_path: Path) -> None:
    known = erasable.make_known()
    old = packs.write_pack(packs.make_pack(known.invoice, at=NOW), tmp_path)
    head = heads.sign_head(at=NOW)
    assert head is not None
    read = what_was_written(known)
    assert (set(read), len(read)) == ({SAID}, 27)
    assert SAID in DisputeLetter.objects.get().text
    assert in_clear(dump(tmp_path)).keys() == IN_CLEAR_BEFORE
    assert packs.verify_bare(old).code == 0

    proof = erase(known, "customer", "c-17")
    erase(known, "payee", "anna")

    assert in_clear(dump(tmp_path)) == {}
    assert "Events in quarantine that named them, overwritten: 5." in proof.did
    assert what_was_written(known) == [GONE] * len(read)
    assert "Egon" in DisputeLetter.objects.get().text, "the letter goes with the invoice, which the law still keeps"
    nothing_waits_for_a_decision()
    papers_are_gone(known)
    amounts_and_proofs_stay(known, old=old, folder=tmp_path)
    nothing_new_is_kept(known, folder=tmp_path)


def nothing_waits_for_a_decision() -> None:
    """What was in quarantine and named them is off the desk, and off every count of what waits there."""
    statuses = QuarantinedEvent.objects.filter(event_id__startswith="bad-").order_by("event_id")
    assert list(statuses.values_list("status", flat=True)) == ["discarded", "erased", "erased", "erased"]
    assert groups.find_groups() == []
    with pytest.raises(quarantine.AlreadyDecidedError, match="erased with the person before"):
        quarantine.release_event(quarantine_id=statuses[1].pk, actor=None, at=NOW)


def papers_are_gone(known: Known) -> None:
    file = EvidenceFile.objects.get()
    assert (file.name, file.content, file.size) == (GONE, b"", len(erasable.PAPER))
    api = people.ApiClient(people.key_for(known.ops))
    answer = api.get(f"gate-checks/{file.gate_check_id}/evidence/{file.pk}")
    assert (answer.status_code, answer.json()["code"]) == (410, "document_erased")


def amounts_and_proofs_stay(known: Known, *, old: Path, folder: Path) -> None:
    """In the house: amount, hash, chain, heads, trace, invariants. Outside: a pack from before, and one from after."""
    after = Invoice.objects.get(pk=known.invoice.pk)
    assert (str(after.total), content.hash_of_rows(after)) == ("61.8800", known.invoice.content_hash)
    assert audit.find_first_broken_entry() is None
    assert list(heads.find_flaws([heads.as_document(one) for one in AuditHead.objects.all()])) == []
    assert trace.trace_invoice(invoice_id=after.pk).is_equal
    found = {one.name: list(one.find_offenders()) for one in check_invariants.all_invariants()}
    assert {name: offenders for name, offenders in found.items() if offenders} == {}
    assert packs.verify_bare(old).code == 0
    told = packs.verify_bare(packs.write_pack(packs.make_pack(after, at=NOW + timedelta(days=1)), folder))
    assert told.code == 0, told.text


def nothing_new_is_kept(known: Known, *, folder: Path) -> None:
    """Work on what is left goes on; what is written then is not kept."""
    api = people.ApiClient(people.key_for(known.finance))
    answer = api.post(f"invoices/{known.invoice.pk}/comments", {"text": "Erika Mustermann wrote again"})
    assert answer.status_code == 201
    assert InvoiceComment.objects.latest("pk").text == "What was written is not kept, for this person was erased."
    assert in_clear(dump(folder)) == {}
