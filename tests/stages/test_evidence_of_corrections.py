"""Packs of what comes after an invoice: corrections at once, backfills, fees earned by the month; and how large."""

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from compliance.evidence.pack import zipping
from compliance.evidence.pack.zipping import PackTooLargeError, PackWriter
from invoicing.cycle import at_once, backfill, delta_decide, finalize, recognize
from invoicing.cycle.models import Invoice
from metering import backfills
from tests.builders import billing, packs
from tests.builders.billing import CLOSING, NEXT_CLOSING, NOVEMBER, day

pytestmark = pytest.mark.django_db
MID_NOVEMBER = day(15, month=11)
LATER = MID_NOVEMBER + timedelta(hours=1)
REASON = "The proxy kept a day of logs."


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


@pytest.fixture
def october(company: billing.Company) -> Invoice:
    """Issued: 49.00 and 1,500 tokens, 3.00."""
    return billing.issue(company, [billing.billed_customer(company)])[0]


def told_of(invoice: Invoice, folder: Path, *, at: Any) -> packs.Told:
    return packs.verify_bare(packs.write_pack(packs.make_pack(invoice, at=at), folder))


@pytest.mark.parametrize(("units", "document_type"), [(250, "invoice"), (-500, "credit_note")])
def test_a_correction_at_once(
    company: billing.Company, october: Invoice, tmp_path: Path, units: int, document_type: str
) -> None:
    terms = {"late_usage": {"correction": "at_once", "grace_hours": "0"}}
    billing.sign_a_policy(author=company.meter.owner, terms=terms, at=billing.LONG_AGO + timedelta(days=1))
    billing.use("acme", ("late", day(30), units), at=MID_NOVEMBER)
    (pk,) = at_once.draft_adjustments(at=LATER).invoice_ids
    drafted = Invoice.objects.get(pk=pk)
    billing.allow_changes(company.finance, drafted, at=LATER)
    billing.approve_by(company.finance, drafted, at=LATER)
    issued = finalize.finalize_invoice(invoice_id=pk, actor=None, at=LATER)
    assert issued.document_type == document_type
    told = told_of(issued, tmp_path, at=LATER)
    assert (told.code, told.left_out) == (0, []), told.text


def test_usage_of_a_backfill(company: billing.Company, october: Invoice, tmp_path: Path) -> None:
    ops = billing.person("olga", "ops")
    backfills.create_backfill(name="logs", reason=REASON, actor=ops, at=NEXT_CLOSING)
    event = {
        "specversion": "1.0",
        "source": "/meter/acme",
        "id": "found",
        "type": "usage",
        "subject": "acme",
        "time": day(30).isoformat(),
        "data": {"units": 250},
    }
    backfills.stage_events(name="logs", deliveries=[event], actor=ops)
    report = backfill.inspect_backfill(name="logs", actor=ops, at=NEXT_CLOSING)
    at = NEXT_CLOSING + timedelta(hours=1)
    delta_decide.approve_report(
        report_id=report.pk, content_hash=report.content_hash, reason=REASON, actor=company.finance, at=at
    )
    assert report.backfill is not None
    backfills.capture_backfill(backfill_id=report.backfill.pk, at=at)
    billing.close_november()
    november = Invoice.objects.get(period_start=NOVEMBER)
    billing.issue(company, [november], at=NEXT_CLOSING + timedelta(hours=2))
    told = told_of(november, tmp_path, at=NEXT_CLOSING + timedelta(hours=3))
    assert (told.code, told.left_out) == (0, []), told.text


def test_a_fee_that_is_earned_by_the_month(company: billing.Company, tmp_path: Path) -> None:
    plan = billing.make_plan("ahead", finance=company.finance, fee=None, meter=None)
    params = {"amount": "31", "billed": "in_advance"}
    billing.set_price(plan, charge="base", model="flat", params=params, finance=company.finance)
    billing.subscribe_to(company, billing.make_customer("acme"), plan=plan)
    billing.close_october()
    issued = billing.issue(company, [Invoice.objects.get()])[0]
    before = told_of(issued, tmp_path, at=CLOSING)
    assert recognize.recognize_months(at=NEXT_CLOSING) == 1
    after = told_of(issued, tmp_path, at=NEXT_CLOSING)
    assert (before.code, after.code) == (0, 0), after.text
    assert before.text == after.text, "what is earned when changes nothing that was billed"


def test_a_pack_that_would_be_larger_than_one_zip_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (zipping.BYTES_MAX, zipping.FILES_MAX) == (4 * 1024**3 - 1, 65_535)
    monkeypatch.setattr(zipping, "BYTES_MAX", 100)
    writer = PackWriter(io.BytesIO())
    with pytest.raises(PackTooLargeError, match="ask for it line by line"):
        writer.add("events/1/00001.ndjson", [bytes(range(256))])
