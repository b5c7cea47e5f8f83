"""Finalizing: a number, dates and a PDF, and nothing that changes afterwards."""

from datetime import UTC, date, datetime, timedelta

import pytest

from core import work
from core.errors import NotAllowedError
from core.models import Job
from invoicing.cycle import approve, finalize, hold, move, pdf, tasks
from invoicing.cycle.models import Invoice, NumberSeries
from invoicing.documents.models import StoredDocument
from tests.builders import billing
from tests.builders.billing import CLOSING

pytestmark = pytest.mark.django_db


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


@pytest.fixture
def approved(company: billing.Company) -> Invoice:
    return billing.approve_by(company.finance, billing.billed_customer(company))


def test_a_final_invoice_has_number_date_and_term(company: billing.Company, approved: Invoice) -> None:
    final = finalize.finalize_invoice(invoice_id=approved.pk, actor=company.other_finance, at=CLOSING)
    final.refresh_from_db()
    assert (final.status, final.number, final.running_number) == ("final", "INV-000001", 1)
    assert (final.finalized_at, final.issue_date, final.due_date) == (CLOSING, date(2026, 11, 2), date(2026, 11, 16))
    moved = final.transitions.last()
    assert moved is not None
    assert (moved.to_status, moved.actor) == ("final", company.other_finance)
    assert moved.audit_entry.facts["number"] == "INV-000001"


def test_the_date_of_issue_is_a_day_at_the_sellers_place(company: billing.Company, approved: Invoice) -> None:
    late_evening = datetime(2026, 11, 2, 23, 30, tzinfo=UTC)  # half past midnight in Berlin
    final = finalize.finalize_invoice(invoice_id=approved.pk, actor=None, at=late_evening)
    assert final.issue_date == date(2026, 11, 3)


def test_numbers_run_without_gap_in_the_order_of_finalizing(company: billing.Company) -> None:
    invoices = [billing.billed_customer(company, code) for code in ("acme", "globex", "initech")]
    final = billing.issue(company, [invoices[2], invoices[0], invoices[1]])
    assert [(one.number, one.customer.code) for one in final] == [
        ("INV-000001", "initech"),
        ("INV-000002", "acme"),
        ("INV-000003", "globex"),
    ]


def test_a_number_that_was_taken_in_vain_is_given_back(
    company: billing.Company, approved: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise RuntimeError("the queue is down")

    with monkeypatch.context() as patch:
        patch.setattr(work, "enqueue", fail)
        with pytest.raises(RuntimeError):
            finalize.finalize_invoice(invoice_id=approved.pk, actor=None, at=CLOSING)
    approved.refresh_from_db()
    assert (approved.status, approved.number) == ("approved", None)
    assert finalize.finalize_invoice(invoice_id=approved.pk, actor=None, at=CLOSING).number == "INV-000001"


def test_a_later_number_never_has_an_earlier_instant(company: billing.Company) -> None:
    first, second = billing.billed_customer(company, "acme"), billing.billed_customer(company, "globex")
    billing.issue(company, [first], at=CLOSING)
    billing.issue(company, [second], at=CLOSING - timedelta(days=1))  # a door whose clock is a day behind
    second.refresh_from_db()
    assert (second.number, second.finalized_at, second.issue_date) == ("INV-000002", CLOSING, date(2026, 11, 2))


def test_the_prefix_of_a_series_outlives_a_change_of_the_sellers(company: billing.Company) -> None:
    first, second = billing.billed_customer(company, "acme"), billing.billed_customer(company, "globex")
    billing.issue(company, [first])
    company.seller.invoice_prefix = "NEW-"
    company.seller.save()
    assert billing.issue(company, [second])[0].number == "INV-000002"
    assert NumberSeries.objects.get().next_number == 3


def test_what_is_not_approved_is_not_issued(company: billing.Company) -> None:
    draft = billing.billed_customer(company)
    with pytest.raises(move.WrongStateError, match="have its figures approved first"):
        finalize.finalize_invoice(invoice_id=draft.pk, actor=None, at=CLOSING)
    assert not NumberSeries.objects.exists()


def test_what_was_held_after_its_approval_is_not_issued(company: billing.Company, approved: Invoice) -> None:
    hold.hold_invoice(invoice_id=approved.pk, reason="one more look", actor=company.other_finance, at=CLOSING)
    with pytest.raises(move.WrongStateError):
        finalize.finalize_invoice(invoice_id=approved.pk, actor=None, at=CLOSING)


def test_a_final_invoice_is_not_finalized_twice(company: billing.Company, approved: Invoice) -> None:
    finalize.finalize_invoice(invoice_id=approved.pk, actor=None, at=CLOSING)
    with pytest.raises(move.WrongStateError, match="is final already"):
        finalize.finalize_invoice(invoice_id=approved.pk, actor=None, at=CLOSING)
    assert NumberSeries.objects.get().next_number == 2


def test_only_finance_issues(company: billing.Company, approved: Invoice) -> None:
    with pytest.raises(NotAllowedError):
        finalize.finalize_invoice(invoice_id=approved.pk, actor=billing.person("pia", "product"), at=CLOSING)


def test_figures_that_are_not_the_approved_ones_are_not_issued(
    company: billing.Company, approved: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approve.content, "hash_of_rows", lambda _: "0" * 64)
    with pytest.raises(approve.ContentChangedError, match="no longer say what was drafted"):
        finalize.finalize_invoice(invoice_id=approved.pk, actor=None, at=CLOSING)
    assert not NumberSeries.objects.exists()


def test_the_pdf_is_queued_with_the_number_and_rendered_once(company: billing.Company, approved: Invoice) -> None:
    final = finalize.finalize_invoice(invoice_id=approved.pk, actor=None, at=CLOSING)
    job = Job.objects.get(kind="render_invoice_pdf")
    assert (job.key, job.arguments) == (str(final.pk), {"invoice_id": final.pk})
    with pytest.raises(pdf.PdfNotReadyError):
        pdf.invoice_pdf(invoice=final)
    tasks.render_invoice_pdf(invoice_id=final.pk)
    first = pdf.invoice_pdf(invoice=final)
    assert first.content.startswith(b"%PDF-")
    assert first.file_name == "INV-000001.pdf"
    tasks.render_invoice_pdf(invoice_id=final.pk)  # a job may run twice
    assert StoredDocument.objects.get().key == f"invoice:{final.pk}"
    assert pdf.invoice_pdf(invoice=final).content == first.content


def test_a_pdf_that_was_given_up_says_why(company: billing.Company, approved: Invoice) -> None:
    final = finalize.finalize_invoice(invoice_id=approved.pk, actor=None, at=CLOSING)
    Job.objects.update(state="dead", attempts=5, finished_at=CLOSING, last_error="OSError: no Pango\nmore")
    with pytest.raises(pdf.PdfFailedError, match=r"given up \(OSError: no Pango\)"):
        pdf.invoice_pdf(invoice=final)


def test_a_draft_prints_as_a_draft_and_is_not_stored(company: billing.Company) -> None:
    draft = billing.billed_customer(company)
    printed = pdf.invoice_pdf(invoice=draft)
    assert printed.content.startswith(b"%PDF-")
    assert printed.file_name == f"draft-{draft.pk}.pdf"
    assert not StoredDocument.objects.exists()


def test_no_invoice_is_issued_for_a_period_that_still_runs(company: billing.Company, approved: Invoice) -> None:
    before_its_end = approved.period_end - timedelta(microseconds=1)
    with pytest.raises(finalize.StillRunningError, match="runs until 2026-11-01 00:00 UTC"):
        finalize.finalize_invoice(invoice_id=approved.pk, actor=company.other_finance, at=before_its_end)
    assert not NumberSeries.objects.exists()
    assert finalize.finalize_invoice(invoice_id=approved.pk, actor=None, at=approved.period_end).status == "final"
