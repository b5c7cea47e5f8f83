"""What PostgreSQL itself refuses, whoever asks."""

import pytest
from django.db import IntegrityError, InternalError, ProgrammingError, transaction

from invoicing.cycle import hold
from invoicing.cycle.models import (
    BillingCycle,
    Break,
    Hold,
    Invoice,
    InvoiceLine,
    InvoiceTax,
    InvoiceTransition,
    NumberSeries,
    TieOut,
)
from tests.builders import billing, guards
from tests.builders.billing import CLOSING

pytestmark = pytest.mark.django_db
REFUSALS = (IntegrityError, InternalError, ProgrammingError)


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


@pytest.fixture
def draft(company: billing.Company) -> Invoice:
    return billing.billed_customer(company)


@pytest.fixture
def final(company: billing.Company, draft: Invoice) -> Invoice:
    return billing.issue(company, [draft])[0]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE cycle_invoice SET number = 'X'",
        "UPDATE cycle_invoice SET status = 'draft'",
        "UPDATE cycle_invoice SET subtotal = 1, total = 1, tax = 0",
        "UPDATE cycle_invoice SET due_date = due_date + 1",
        "UPDATE cycle_invoice SET revision = revision + 1",
    ],
)
def test_a_final_invoice_never_changes(final: Invoice, statement: str) -> None:
    assert final.status == "final"
    assert guards.refuses(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE cycle_invoice SET revision = 1, subtotal = 1, tax = 0, total = 1",
        "UPDATE cycle_invoice SET revision = 1, content_hash = repeat('0', 64)",
        "UPDATE cycle_invoice SET revision = 1, parties = '{}'",
        "UPDATE cycle_invoice SET revision = 1, terms_days = 1",
        "UPDATE cycle_invoice SET revision = 1, drafted_at = now()",
    ],
)
def test_the_figures_of_a_draft_are_fixed(draft: Invoice, statement: str) -> None:
    assert draft.status == "draft"
    assert guards.refuses(statement)


@pytest.mark.parametrize("status", ["approved", "final"])
def test_a_status_is_not_reached_without_what_belongs_to_it(draft: Invoice, status: str) -> None:
    assert draft.status == "draft"
    assert guards.refuses(f"UPDATE cycle_invoice SET revision = 1, status = '{status}'")  # noqa: S608  fixed text


def test_a_move_that_is_not_in_the_table_is_refused(company: billing.Company, draft: Invoice) -> None:
    billing.approve_by(company.finance, draft)
    assert guards.refuses(
        "UPDATE cycle_invoice SET revision = 2, status = 'draft', approved_by_id = NULL, approved_at = NULL,"
        " approved_hash = '' WHERE id = %s",
        [draft.pk],
    )


def test_a_stale_copy_cannot_undo_a_decision(company: billing.Company, draft: Invoice) -> None:
    stale = Invoice.objects.get(pk=draft.pk)
    billing.approve_by(company.finance, draft)
    with pytest.raises(REFUSALS), transaction.atomic():
        stale.save()
    draft.refresh_from_db()
    assert draft.status == "approved"


def test_a_stale_copy_cannot_bring_a_hold_back(company: billing.Company, draft: Invoice) -> None:
    hold.hold_invoice(invoice_id=draft.pk, reason="to be checked", actor=company.finance, at=CLOSING)
    stale = Invoice.objects.get(pk=draft.pk)
    hold.release_invoice(invoice_id=draft.pk, reason="was checked", actor=company.other_finance, at=CLOSING)
    with pytest.raises(REFUSALS), transaction.atomic():
        stale.save()
    draft.refresh_from_db()
    assert draft.status == "draft"


def test_an_approver_who_drafted_is_refused_by_the_table_too(company: billing.Company) -> None:
    billing.subscribe_to(company, billing.make_customer("acme"))
    billing.close_october(actor=company.finance)
    assert guards.refuses(
        "UPDATE cycle_invoice SET revision = 1, status = 'approved', approved_by_id = drafted_by_id,"
        " approved_at = now(), approved_hash = content_hash"
    )


def test_nothing_is_approved_over_an_open_break_or_hold(company: billing.Company, draft: Invoice) -> None:
    Break.objects.create(
        invoice=draft,
        tie_out=draft.tie_outs.get(),
        name="usage_without_price",
        detail="x",
        facts={},
        opened_at=CLOSING,
    )
    with pytest.raises(IntegrityError, match="open break or hold"):
        billing.approve_by(company.finance, draft)


def test_an_invoice_is_born_a_draft(draft: Invoice) -> None:
    copied = Invoice.objects.get(pk=draft.pk)
    copied.pk, copied.status, copied.approved_by, copied.approved_at = None, "approved", None, CLOSING
    with pytest.raises(REFUSALS), transaction.atomic():
        copied.save(force_insert=True)


def test_a_period_has_one_live_invoice(draft: Invoice) -> None:
    copied = Invoice.objects.get(pk=draft.pk)
    copied.pk = None
    with pytest.raises(IntegrityError, match="cycle_invoice_one_per_cycle"), transaction.atomic():
        copied.save(force_insert=True)


def test_an_invoice_whose_lines_do_not_add_up_is_never_committed(draft: Invoice) -> None:
    assert guards.refuses(
        """
        WITH cycle AS (
            INSERT INTO cycle_billingcycle (subscription_id, customer_id, period_start, period_end, opened_at)
            SELECT subscription_id, customer_id, period_end, period_end + interval '1 day', opened_at
            FROM cycle_billingcycle RETURNING id
        )
        INSERT INTO cycle_invoice (cycle_id, customer_id, seller_id, watermark_id, status, revision, currency,
            period_start, period_end, parties, terms_days, subtotal, tax, total, content_hash, drafted_at,
            approved_hash)
        SELECT cycle.id, customer_id, seller_id, watermark_id, status, revision, currency,
            period_start, period_end, parties, terms_days, subtotal, tax, total, content_hash, drafted_at, ''
        FROM cycle_invoice, cycle
        """
    )


def test_cycles_of_a_subscription_never_overlap(draft: Invoice) -> None:
    assert guards.refuses(
        "INSERT INTO cycle_billingcycle (subscription_id, customer_id, period_start, period_end, opened_at)"
        " SELECT subscription_id, customer_id, period_start + interval '1 d', period_end + interval '1 d', opened_at"
        " FROM cycle_billingcycle"
    )


def test_nothing_is_added_to_a_final_invoice(final: Invoice) -> None:
    tax = InvoiceTax(invoice=final, name="x", category="Z", percent=0, taxable=0, tax=0)
    with pytest.raises(IntegrityError, match="taxes are added to drafts only"), transaction.atomic():
        tax.save()
    line = InvoiceLine.objects.filter(invoice=final).first()
    assert line is not None
    line.pk, line.position = None, 9
    with pytest.raises(IntegrityError), transaction.atomic():
        line.save(force_insert=True)


def test_nothing_is_opened_on_a_final_invoice(final: Invoice) -> None:
    placed = Hold(invoice=final, policy=final.policy, cause="person", reason="too late", placed_at=CLOSING)
    with pytest.raises(IntegrityError, match="nothing is opened on it any more"), transaction.atomic():
        placed.save()
    found = Break(
        invoice=final, tie_out=final.tie_outs.get(), name="usage_without_price", detail="x", facts={}, opened_at=CLOSING
    )
    with pytest.raises(IntegrityError, match="nothing is opened on it any more"), transaction.atomic():
        found.save()


def test_a_number_is_taken_one_at_a_time(final: Invoice) -> None:
    assert guards.refuses("UPDATE cycle_numberseries SET next_number = next_number + 2")
    assert guards.refuses("UPDATE cycle_numberseries SET next_number = next_number - 1")
    assert guards.refuses("UPDATE cycle_numberseries SET next_number = next_number + 1, prefix = 'X-'")
    assert guards.refuses(
        "UPDATE cycle_numberseries SET next_number = next_number + 1, last_taken_at = last_taken_at - interval '1 s'"
    )


@pytest.mark.parametrize("model", [BillingCycle, Invoice, InvoiceLine, InvoiceTax, InvoiceTransition, TieOut])
def test_what_was_billed_is_kept(final: Invoice, model: type) -> None:
    assert guards.keeps_its_rows(model)


def test_what_was_decided_is_kept(company: billing.Company, draft: Invoice) -> None:
    hold.hold_invoice(invoice_id=draft.pk, reason="to be checked", actor=company.finance, at=CLOSING)
    assert guards.keeps_its_rows(Hold)
    assert guards.refuses("UPDATE cycle_hold SET reason = 'another'")
    assert guards.refuses("UPDATE cycle_invoicetransition SET reason = 'another'")
    hold.release_invoice(invoice_id=draft.pk, reason="was checked", actor=company.other_finance, at=CLOSING)
    assert guards.refuses("UPDATE cycle_hold SET release_reason = 'another'")


def test_whoever_placed_a_hold_is_refused_by_the_table_too(company: billing.Company, draft: Invoice) -> None:
    hold.hold_invoice(invoice_id=draft.pk, reason="to be checked", actor=company.finance, at=CLOSING)
    assert guards.refuses(
        "UPDATE cycle_hold SET released_by_id = placed_by_id, released_at = now(), release_reason = 'x'"
    )


@pytest.mark.parametrize(
    ("percent", "taxable"), [("0", "NaN"), ("0", "1000000000000001"), ("0", "-1000000000000001"), ("NaN", "0")]
)
def test_figures_are_bounded_and_finite(draft: Invoice, percent: str, taxable: str) -> None:
    values = f"({draft.pk}, '', 'Z', '{percent}', '{taxable}', 0, '')"
    columns = "(invoice_id, name, category, percent, taxable, tax, note)"
    assert guards.refuses(f"INSERT INTO cycle_invoicetax {columns} VALUES {values}")  # noqa: S608  fixed text


def test_a_series_keeps_its_row(final: Invoice) -> None:
    assert NumberSeries.objects.count() == 1
    assert guards.refuses("DELETE FROM cycle_numberseries")
