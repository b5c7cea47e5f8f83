"""Credit notes: an issued invoice given back, in full or in part, by two persons, and never more than it was."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from billing_ops.management.commands import check_invariants
from core.errors import InvalidInputError, NotAllowedError
from invoicing.cycle import credit_note, delta_decide, finalize, move, queries
from invoicing.cycle.models import CreditLine, DeltaReport, Invoice
from invoicing.ledger.models import Posting
from invoicing.pricing import invoice_terms
from tests.builders import billing
from tests.builders.billing import CLOSING, DECEMBER, LONG_AGO, NEXT_CLOSING, NOVEMBER, day

pytestmark = pytest.mark.django_db
LATER = CLOSING + timedelta(days=3)
REASON = "The service was down for a week."


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


@pytest.fixture
def october(company: billing.Company) -> Invoice:
    """Issued: 49.00 and 1,500 tokens, 3.00; 9.88 tax; 61.88."""
    return billing.issue(company, [billing.billed_customer(company)])[0]


def ask(company: billing.Company, issued: Invoice, amounts: dict[int, str] | None = None) -> Invoice:
    by_line = None
    if amounts is not None:
        ids = dict(issued.lines.values_list("position", "pk"))
        by_line = {ids[position]: Decimal(amount) for position, amount in amounts.items()}
    return credit_note.ask_for_credit(
        invoice_id=issued.pk, reason=REASON, amounts=by_line, actor=company.finance, at=LATER
    )


def grant(company: billing.Company, note: Invoice) -> Invoice:
    """The second person approves the change and the document."""
    billing.approve_by(company.other_finance, note, at=LATER)
    return finalize.finalize_invoice(invoice_id=note.pk, actor=None, at=LATER)


def offences() -> dict[str, list[str]]:
    found = {one.name: list(one.find_offenders()) for one in check_invariants.all_invariants()}
    return {name: offenders for name, offenders in found.items() if offenders}


def test_an_invoice_is_given_back_as_a_whole(company: billing.Company, october: Invoice) -> None:
    note = ask(company, october)
    assert (note.kind, note.document_type, note.credits, note.status) == ("adjustment", "credit_note", october, "draft")
    assert (note.subtotal, note.tax, note.total) == (Decimal(-52), Decimal("-9.88"), Decimal("-61.88"))
    assert [(line.position, line.amount) for line in note.credit_lines.all()] == [(1, -49), (2, -3)]
    assert grant(company, note).number == "CN-000001"
    october.refresh_from_db()
    assert (october.status, october.total) == ("final", Decimal("61.88"))
    assert offences() == {}


def test_it_prints_what_is_given_back_without_a_sign_and_names_the_invoice(
    company: billing.Company, october: Invoice
) -> None:
    document = queries.invoice_document(grant(company, ask(company, october, {2: "1.25"})))
    assert document.is_credit_note
    assert [(line.description, line.quantity, line.unit_price, line.amount) for line in document.lines] == [
        ("Tokens", 1, "1.25", Decimal("1.25"))
    ]
    assert document.lines[0].adjusts == "INV-000001, line 2"
    assert [(one.number, one.issue_date) for one in document.corrects] == [("INV-000001", CLOSING.date())]
    assert (document.subtotal, document.tax, document.total) == (Decimal("1.25"), Decimal("0.24"), Decimal("1.49"))
    assert document.notes == (f"Reason: {REASON}",)


def approve_report(report: DeltaReport, *, by: User) -> None:
    delta_decide.approve_report(
        report_id=report.pk, content_hash=report.content_hash, reason=REASON, actor=by, at=LATER
    )


def test_who_asked_approves_neither_the_change_nor_the_note(company: billing.Company, october: Invoice) -> None:
    note = ask(company, october)
    report = note.delta_reports.get()
    with pytest.raises(move.SamePersonError):
        approve_report(report, by=company.finance)
    with pytest.raises(delta_decide.DeltaOpenError):
        billing.approve.approve_invoice(
            invoice_id=note.pk, content_hash=note.content_hash, actor=company.other_finance, at=LATER
        )
    approve_report(report, by=company.other_finance)
    with pytest.raises(move.SamePersonError):
        billing.approve_by(company.finance, note)


def test_only_finance_asks(october: Invoice) -> None:
    with pytest.raises(NotAllowedError):
        credit_note.ask_for_credit(invoice_id=october.pk, reason=REASON, actor=billing.person("otto", "ops"), at=LATER)


def test_parts_add_up_to_no_more_than_the_line(company: billing.Company, october: Invoice) -> None:
    grant(company, ask(company, october, {1: "40"}))
    with pytest.raises(credit_note.CreditTooHighError, match=r"At most 9\.00"):
        ask(company, october, {1: "9.01"})
    second = ask(company, october, {1: "9"})  # not issued yet, and counted all the same
    with pytest.raises(credit_note.CreditTooHighError):
        ask(company, october, {1: "0.01"})
    billing.discard_draft(company, second, at=LATER)
    rest = ask(company, october)
    assert [(line.credits.position, line.amount) for line in rest.credit_lines.all()] == [(1, -9), (2, -3)]
    grant(company, rest)
    with pytest.raises(credit_note.NothingToCreditError):
        ask(company, october)
    assert offences() == {}


def test_postgresql_refuses_more_than_the_line_too(company: billing.Company, october: Invoice) -> None:
    note = ask(company, october, {1: "40"})
    line = october.lines.get(position=2)
    with pytest.raises(IntegrityError, match="more than was billed"), transaction.atomic():
        CreditLine.objects.create(
            invoice=note, position=2, credits=line, amount=Decimal("-3.01"), tax_category="S", tax_percent=19
        )


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "NaN"])
def test_an_amount_is_money_above_zero(company: billing.Company, october: Invoice, amount: str) -> None:
    with pytest.raises(InvalidInputError):
        ask(company, october, {1: amount})


def test_a_draft_and_a_credit_note_are_not_credited(company: billing.Company, october: Invoice) -> None:
    note = ask(company, october)
    for invoice in (note, grant(company, note)):
        with pytest.raises(move.WrongStateError):
            ask(company, invoice)


def test_a_discount_on_the_document_is_taken_back_with_the_whole_and_bounds_the_parts(
    company: billing.Company,
) -> None:
    """10 % of 52.00 is 5.20: 46.80 net, 8.89 tax, 55.69."""
    term = invoice_terms.propose_invoice_term(
        subject=company.plan,
        code="discount",
        kind="allowance",
        reason="Partner discount",
        percent=Decimal(10),
        effective_at=LONG_AGO,
        actor=company.finance,
        at=LONG_AGO,
    )
    invoice_terms.approve_invoice_term(pk=term.pk, actor=billing.approver(), at=LONG_AGO)
    issued = billing.issue(company, [billing.billed_customer(company)])[0]
    assert issued.total == Decimal("55.69")
    with pytest.raises(credit_note.CreditTooHighError):
        ask(company, issued, {1: "49", 2: "3"})  # 61.88 of 55.69
    note = grant(company, ask(company, issued))
    assert (note.subtotal, note.tax, note.total) == (Decimal("-46.80"), Decimal("-8.89"), Decimal("-55.69"))
    assert offences() == {}


def test_a_correction_counts_what_was_given_back(company: billing.Company, october: Invoice) -> None:
    """1,500 tokens were billed at 3.00 and 1.00 given back; 500 turn out to be wrong: 1.00, so nothing more is due."""
    grant(company, ask(company, october, {2: "1"}))
    billing.use("acme", ("takes back", day(30), -500), at=NEXT_CLOSING)
    billing.close_november()
    line = Invoice.objects.get(period_start=NOVEMBER).lines.get(adjusts__isnull=False)
    assert (line.quantity, line.amount) == (-500, 0)
    assert offences() == {}


def test_a_credit_waits_for_a_correction_and_a_correction_for_a_credit(
    company: billing.Company, october: Invoice
) -> None:
    note = ask(company, october, {2: "1"})
    billing.use("acme", ("late", day(30), 500), at=NEXT_CLOSING)
    assert billing.close_november().adjusted == 0
    billing.discard_draft(company, note, at=NEXT_CLOSING)
    billing.discard_draft(company, Invoice.objects.get(period_start=NOVEMBER), at=NEXT_CLOSING)
    assert billing.close_november(at=NEXT_CLOSING + timedelta(hours=1)).adjusted == 1
    with pytest.raises(credit_note.CorrectionPendingError):
        ask(company, october)


def test_it_is_booked_the_other_way_round(company: billing.Company, october: Invoice) -> None:
    note = grant(company, ask(company, october))
    booked = {
        posting.account: (posting.debit, posting.credit)
        for posting in Posting.objects.filter(entry__key=f"invoice:{note.pk}:final")
    }
    assert booked == {
        "customer_balance_liability": (0, Decimal("61.88")),
        "revenue_subscription": (Decimal(49), 0),
        "revenue_usage": (Decimal(3), 0),
        "tax_payable": (Decimal("9.88"), 0),
    }
    assert DECEMBER > LATER
