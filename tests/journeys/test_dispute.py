"""A contested invoice, both ways: reproduced and answered with the pack, or broken, corrected and closed."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from compliance.disputes import decide, fixing, keeping, talk
from compliance.disputes.models import DisputeLetter
from invoicing.cycle import collection, credit_note, finalize
from invoicing.cycle.models import Invoice
from tests.builders import billing, disputes, packs, tampering
from tests.builders.disputes import NOON, TOKENS

pytestmark = pytest.mark.django_db


def row_of(invoice: Invoice) -> Any:
    """The invoice as it stands in its table, whole."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(one)::text FROM cycle_invoice one WHERE id = %s", [invoice.pk])
        return cursor.fetchone()


def test_a_right_bill_is_contested_worked_out_again_and_defended_with_a_pack_that_verifies(tmp_path: Path) -> None:
    desk = disputes.open_desk()
    before = row_of(desk.invoice)
    dispute = disputes.on_its_path(desk)
    assert (dispute.status, dispute.path) == ("ops", "ops")
    keeping.hold_collection(dispute_id=dispute.pk, reason="they will not pay", actor=desk.ops, at=NOON)
    talk.write_update(dispute_id=dispute.pk, text="We look at your logs.", actor=desk.ops, at=NOON)
    decide.reject(dispute_id=dispute.pk, answer="Your logs agree with ours.", actor=desk.ops, at=NOON)
    disputes.run_jobs(at=NOON + timedelta(minutes=5))
    assert collection.open_hold(desk.invoice) is None  # it ended with its dispute
    letter = DisputeLetter.objects.select_related("evidence__pack").get(dispute=dispute)
    pack = letter.evidence.pack
    assert pack is not None
    assert pack.sha256 in letter.text
    told = packs.verify_bare(packs.write_pack(pack, tmp_path))
    assert told.code == 0, told.text
    assert row_of(desk.invoice) == before


def test_a_broken_bill_goes_to_engineering_and_is_corrected_by_a_document_of_its_own() -> None:
    desk = disputes.open_desk()
    before = row_of(desk.invoice)
    disputes.break_the_chain()
    dispute = disputes.on_its_path(desk)
    evidence = dispute.evidence.get()
    assert (dispute.status, dispute.owner_role) == ("engineering", "engineering")
    assert evidence.first_break is not None
    assert evidence.first_break["line"] == TOKENS
    decide.uphold(dispute_id=dispute.pk, answer="You are right.", actor=desk.ops, at=NOON)
    disputes.run_jobs(at=NOON + timedelta(minutes=5))
    letter = DisputeLetter.objects.get(dispute=dispute)
    assert evidence.first_break["step"] in " ".join(letter.text.split())
    assert dispute.line is not None
    # 100 tokens too many at 0.002
    note = credit_note.ask_for_credit(
        invoice_id=desk.invoice.pk,
        reason="dispute",
        amounts={dispute.line.pk: Decimal("0.20")},
        actor=desk.finance,
        at=NOON,
    )
    fixing.link_fix(dispute_id=dispute.pk, document_id=note.pk, delta_report_id=None, actor=desk.finance, at=NOON)
    billing.approve_by(desk.company.other_finance, note)
    finalize.finalize_invoice(invoice_id=note.pk, actor=None, at=NOON)
    assert fixing.close_corrected(at=NOON) == 1
    dispute.refresh_from_db()
    assert (dispute.status, dispute.outcome) == ("closed", "upheld")
    assert row_of(desk.invoice) == before
    tampering.tamper("UPDATE metering_usageevent SET data = '{\"units\": 1000}' WHERE event_id = 'e1'")  # all is well
