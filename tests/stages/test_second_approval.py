"""Above an amount of the policy an invoice takes two people in finance, whoever asks and however."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from core import audit
from invoicing.cycle import approve, finalize, hold, move, together
from invoicing.cycle.models import Invoice, InvoiceApproval
from tests.builders import billing, guards
from tests.builders.billing import CLOSING

pytestmark = pytest.mark.django_db
LATER = CLOSING + timedelta(hours=1)


@pytest.fixture
def company() -> billing.Company:
    """Invoices above 50.00 EUR need two people."""
    company = billing.open_company()
    billing.ask_for_two(company)
    return company


@pytest.fixture
def draft(company: billing.Company) -> Invoice:
    """61.88 EUR."""
    return billing.billed_customer(company)


def test_the_first_approval_leaves_a_draft_and_the_second_approves(company: billing.Company, draft: Invoice) -> None:
    first = billing.approve_by(company.finance, draft)
    assert (first.status, first.revision, first.approved_by) == ("draft", 0, None)
    assert approve.standing_of(first).missing == 1
    second = billing.approve_by(company.other_finance, draft, at=LATER)
    assert (second.status, second.approved_by, second.approved_at) == ("approved", company.other_finance, LATER)
    given = list(InvoiceApproval.objects.values_list("person", "content_hash", "people_needed", "given_at"))
    assert given == [
        (company.finance.pk, draft.content_hash, 2, CLOSING),
        (company.other_finance.pk, draft.content_hash, 2, LATER),
    ]


def test_one_person_does_not_count_twice(company: billing.Company, draft: Invoice) -> None:
    billing.approve_by(company.finance, draft)
    with pytest.raises(move.SamePersonError, match="a second person in finance"):
        billing.approve_by(company.finance, draft)
    assert InvoiceApproval.objects.count() == 1


@pytest.mark.parametrize(("above", "status"), [("61.87", "draft"), ("61.88", "approved"), ("61.89", "approved")])
def test_the_amount_itself_takes_one_person(above: str, status: str) -> None:
    company = billing.open_company()
    billing.ask_for_two(company, above=above)
    assert billing.approve_by(company.finance, billing.billed_customer(company)).status == status


def test_an_amount_in_another_currency_asks_for_nobody() -> None:
    company = billing.open_company()
    billing.ask_for_two(company, above="0.01", currency="USD")
    assert billing.approve_by(company.finance, billing.billed_customer(company)).status == "approved"


def test_the_policy_of_the_draft_decides_and_no_later_one(company: billing.Company, draft: Invoice) -> None:
    billing.sign_a_policy(author=company.meter.owner, terms={}, at=CLOSING)
    assert billing.approve_by(company.finance, draft).status == "draft"


def test_half_approved_figures_are_not_finalized(company: billing.Company, draft: Invoice) -> None:
    billing.approve_by(company.finance, draft)
    with pytest.raises(move.WrongStateError, match="have its figures approved first"):
        finalize.finalize_invoice(invoice_id=draft.pk, actor=company.other_finance, at=LATER)


def test_a_hold_takes_the_first_approval_back(company: billing.Company, draft: Invoice) -> None:
    billing.approve_by(company.finance, draft)
    hold.hold_invoice(invoice_id=draft.pk, reason="to be checked", actor=company.finance, at=LATER)
    hold.release_invoice(invoice_id=draft.pk, reason="was checked", actor=company.other_finance, at=LATER)
    draft.refresh_from_db()
    assert approve.standing_of(draft).missing == 2
    assert billing.approve_by(company.other_finance, draft, at=LATER).status == "draft"
    assert billing.approve_by(company.finance, draft, at=LATER).status == "approved"
    assert InvoiceApproval.objects.count() == 3


def test_an_approval_of_somebody_who_left_finance_counts_no_more(company: billing.Company, draft: Invoice) -> None:
    billing.approve_by(company.finance, draft)
    company.finance.groups.clear()
    assert billing.approve_by(company.other_finance, draft).status == "draft"
    assert billing.approve_by(billing.approver(), draft).status == "approved"


def test_who_had_a_hand_in_the_figures_is_no_second_person(company: billing.Company, draft: Invoice) -> None:
    billing.discard_draft(company, draft)
    billing.close_october()
    again = Invoice.objects.get(status="draft")
    billing.approve_by(company.other_finance, again)
    with pytest.raises(move.SamePersonError, match="come of your decision"):
        billing.approve_by(company.finance, again)


def test_each_approval_is_a_link_of_the_audit_chain(company: billing.Company, draft: Invoice) -> None:
    billing.approve_by(company.finance, draft)
    billing.approve_by(company.other_finance, draft)
    entries = [one.audit_entry for one in InvoiceApproval.objects.all()]
    assert [(one.action, one.actor, one.facts["given"], one.facts["needed"]) for one in entries] == [
        ("invoice.approval_given", company.finance, 1, 2),
        ("invoice.approval_given", company.other_finance, 2, 2),
    ]
    assert audit.find_first_broken_entry() is None


def test_the_table_refuses_a_move_that_lacks_an_approval(company: billing.Company, draft: Invoice) -> None:
    billing.approve_by(company.finance, draft)
    assert guards.refuses(
        "UPDATE cycle_invoice SET revision = 1, status = 'approved', approved_by_id = %s, approved_at = now(),"
        " approved_hash = content_hash WHERE id = %s",
        [company.finance.pk, draft.pk],
    )


def test_the_table_asks_for_the_approval_of_who_is_named(draft: Invoice, company: billing.Company) -> None:
    billing.approve_by(company.finance, draft)
    billing.approve_by(company.other_finance, draft)
    hold.hold_invoice(invoice_id=draft.pk, reason="to be checked", actor=company.finance, at=LATER)
    hold.release_invoice(invoice_id=draft.pk, reason="was checked", actor=company.other_finance, at=LATER)
    assert guards.refuses(
        "UPDATE cycle_invoice SET revision = 4, status = 'approved', approved_by_id = %s, approved_at = now(),"
        " approved_hash = content_hash WHERE id = %s",
        [company.finance.pk, draft.pk],
    )


def test_the_table_takes_approvals_of_the_draft_as_it_stands_only(company: billing.Company, draft: Invoice) -> None:
    subject, facts = f"invoice:{draft.pk}", {"content_hash": draft.content_hash}
    entry = audit.append_entry(action="x", subject=subject, actor=company.finance, facts=facts, at=CLOSING)

    def write(**other: object) -> None:
        fields = {"invoice": draft, "revision": 0, "person": company.finance, "content_hash": draft.content_hash}
        with transaction.atomic():
            InvoiceApproval.objects.create(
                **{**fields, "people_needed": 1, "given_at": CLOSING, "audit_entry": entry, **other}
            )

    with pytest.raises(IntegrityError, match="does not stand in the audit chain"):
        write(person=company.other_finance)
    with pytest.raises(IntegrityError, match="does not stand in the audit chain"):
        write(audit_entry=draft.transitions.earliest("pk").audit_entry)
    for wrong in ({"revision": 1}, {"content_hash": "0" * 64}):
        with pytest.raises(IntegrityError, match="is not the draft that was approved"):
            write(**wrong)
    write()
    with pytest.raises(IntegrityError, match="cycle_approval_once_per_person"):
        write()
    hold.hold_invoice(invoice_id=draft.pk, reason="to be checked", actor=company.finance, at=CLOSING)
    with pytest.raises(IntegrityError, match="is not the draft that was approved"):
        write(revision=1, person=company.other_finance)


def test_the_table_refuses_an_approval_of_who_had_a_hand_in_it(company: billing.Company, draft: Invoice) -> None:
    billing.discard_draft(company, draft)
    billing.close_october()
    again = Invoice.objects.get(status="draft")
    with pytest.raises(IntegrityError, match="come of a decision of this person"):
        InvoiceApproval.objects.create(
            invoice=again,
            revision=0,
            person=company.finance,
            content_hash=again.content_hash,
            people_needed=1,
            given_at=CLOSING,
            audit_entry=again.transitions.earliest("pk").audit_entry,
        )


def test_approvals_are_kept_as_they_were_given(company: billing.Company, draft: Invoice) -> None:
    billing.approve_by(company.finance, draft)
    assert guards.keeps_its_rows(InvoiceApproval)
    assert guards.refuses("UPDATE cycle_invoiceapproval SET people_needed = 1")


class TestTogether:
    def test_each_invoice_answers_for_itself(self, company: billing.Company) -> None:
        large, held, small = (billing.billed_customer(company, code) for code in ("acme", "globex", "umbrella"))
        hold.hold_invoice(invoice_id=held.pk, reason="to be checked", actor=company.finance, at=CLOSING)
        figures = [(one.pk, one.content_hash) for one in (small, held, large)]
        outcomes = together.approve_invoices(
            figures=[*figures, (large.pk + 999, "0" * 64)], actor=company.finance, at=LATER
        )
        assert [(one.invoice_id, one.outcome, one.code) for one in outcomes] == [
            (large.pk, "first_of_two", ""),
            (held.pk, "refused", "wrong_state"),
            (small.pk, "first_of_two", ""),
            (large.pk + 999, "refused", "not_found"),
        ]
        again = together.approve_invoices(figures=figures[:1], actor=company.finance, at=LATER)
        assert [(one.outcome, one.code) for one in again] == [("refused", "second_person_needed")]
        second = together.approve_invoices(figures=figures[:1], actor=company.other_finance, at=LATER)
        assert [one.outcome for one in second] == ["approved"]

    def test_holds_and_releases_carry_the_usual_reason(self, company: billing.Company) -> None:
        ids = [billing.billed_customer(company, code).pk for code in ("acme", "globex")]
        held = together.hold_invoices(
            invoice_ids=ids, reason="of 5 October", reason_code="usage-in-question", actor=company.finance, at=CLOSING
        )
        assert [one.outcome for one in held] == ["held", "held"]
        placed = Invoice.objects.get(pk=ids[0]).holds.get()
        assert placed.reason == "Usage to be checked with the customer: of 5 October"
        assert placed.listed_reason is not None
        mine = together.release_invoices(
            invoice_ids=ids[:1], reason="", reason_code="usage-complete", actor=company.finance, at=LATER
        )
        assert [one.code for one in mine] == ["second_person_needed"]
        released = together.release_invoices(
            invoice_ids=ids, reason="", reason_code="usage-complete", actor=company.other_finance, at=LATER
        )
        assert [one.outcome for one in released] == ["released", "released"]
        placed.refresh_from_db()
        assert placed.release_reason == "Usage is complete"

    def test_a_reason_that_is_not_on_the_list_is_refused(self, company: billing.Company, draft: Invoice) -> None:
        for code in ("no-such-reason", "usage-complete"):  # the second one is for releasing
            outcomes = together.hold_invoices(
                invoice_ids=[draft.pk], reason="because of this", reason_code=code, actor=company.finance, at=CLOSING
            )
            assert [one.code for one in outcomes] == ["reason_unknown"]
