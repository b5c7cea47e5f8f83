"""What is taken off or added on whole invoices: agreed by two persons, and carried to every place that shows it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from billing_ops.management.commands import check_invariants
from core import personal_keys
from core.errors import NotAllowedError
from invoicing.cycle import content, preview, queries
from invoicing.cycle.models import Invoice, InvoiceAllowanceCharge
from invoicing.documents import page
from invoicing.ledger.models import Posting
from invoicing.pricing import invoice_terms, proposals
from invoicing.pricing.invoice_terms import InvoiceTermError
from invoicing.pricing.models import InvoiceTerm, Subscription
from tests.builders import billing, dumps, guards
from tests.builders.billing import CLOSING, LONG_AGO, NOVEMBER, OCTOBER

pytestmark = pytest.mark.django_db
DISCOUNT = {"code": "discount", "kind": "allowance", "reason": "Partner discount", "percent": Decimal(10)}
HANDLING = {"code": "handling", "kind": "charge", "reason": "Handling", "amount": Decimal("5.00")}
ADD_A_CHARGE = """
    INSERT INTO cycle_invoiceallowancecharge
        (invoice_id, position, term_id, kind, reason, amount, tax_category, tax_percent)
    SELECT id, 9, (SELECT id FROM pricing_invoiceterm), 'charge', 'x', 1, 'S', 19 FROM cycle_invoice
"""
DEPOSIT = {"code": "deposit", "kind": "prepaid", "reason": "Deposit", "amount": Decimal("100.00")}
WHOLE_EUROS = {"code": "rounding", "kind": "rounding", "reason": "Whole euros", "amount": Decimal(1)}


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


@pytest.fixture
def subscription(company: billing.Company) -> Subscription:
    """1,500 tokens in October: 49.00 + 3.00."""
    made = billing.subscribe_to(company, billing.make_customer("acme"))
    billing.use("acme", ("e1", billing.day(3), 1000), ("e2", billing.day(20), 500))
    return made


def propose(subject: Any, terms: Any, **facts: Any) -> InvoiceTerm:
    usual = {"effective_at": LONG_AGO, "actor": billing.person("pia", "product"), "at": LONG_AGO}
    return invoice_terms.propose_invoice_term(subject=subject, **{**usual, **terms, **facts})


def agree(subject: Any, terms: Any, **facts: Any) -> InvoiceTerm:
    proposed = propose(subject, terms, **facts)
    return invoice_terms.approve_invoice_term(pk=proposed.pk, actor=billing.approver(), at=LONG_AGO)


def bill() -> Invoice:
    billing.close_october()
    return Invoice.objects.exclude(status="discarded").get()


def parts(invoice: Invoice) -> list[tuple[str, str, Decimal]]:
    return [(part.kind, part.reason, part.amount) for part in invoice.allowances_charges.all()]


def test_what_is_agreed_with_one_customer_is_sealed_and_printed(
    company: billing.Company, subscription: Subscription
) -> None:
    """The term lies under the customer's key, what is printed of it under the document's, also on the credit note."""
    agree(subscription, {**DISCOUNT, "reason": "for brother Egon"})
    agree(company.plan, HANDLING)
    invoice = bill()
    assert dumps.find_words(["Egon"]) == []
    assert [reason for _, reason, _ in parts(invoice)] == ["for brother Egon", "Handling"]
    assert "for brother Egon" in str(page.page_context(queries.invoice_document(invoice)))
    hashed = invoice.content_hash
    assert subscription.customer.personal_key_id is not None
    personal_keys.destroy_keys([subscription.customer.personal_key_id], at=CLOSING)
    assert InvoiceTerm.objects.get(code="discount").reason.startswith("erased on ")
    assert parts(invoice)[0][1] == "for brother Egon", "it goes with the document"
    assert invoice.personal_key_id is not None
    personal_keys.destroy_keys([invoice.personal_key_id], at=CLOSING)
    assert parts(invoice)[0][1].startswith("erased on ")
    assert content.hash_of_rows(invoice) == hashed


def test_a_discount_and_a_charge_reach_the_draft(company: billing.Company, subscription: Subscription) -> None:
    agree(company.plan, DISCOUNT)
    term = agree(subscription, HANDLING)
    invoice = bill()
    # 52.00 - 5.20 + 5.00 = 51.80; 19 % = 9.842 → 9.84
    assert parts(invoice) == [
        ("allowance", "Partner discount", Decimal("5.20")),
        ("charge", "Handling", Decimal("5.00")),
    ]
    assert (invoice.allowances, invoice.charges) == (Decimal("5.20"), Decimal("5.00"))
    assert (invoice.subtotal, invoice.tax, invoice.total) == (Decimal("51.80"), Decimal("9.84"), Decimal("61.64"))
    assert (invoice.status, invoice.payable) == ("draft", Decimal("61.64"))
    assert invoice.taxes.get().taxable == Decimal("51.80")
    assert invoice.allowances_charges.get(kind="charge").term_id == term.pk


def test_the_subscription_own_term_supersedes_the_plan_s(company: billing.Company, subscription: Subscription) -> None:
    agree(subscription, {**DISCOUNT, "percent": Decimal(50)})
    agree(company.plan, DISCOUNT)
    assert parts(bill()) == [("allowance", "Partner discount", Decimal("26.00"))]


def test_what_is_to_be_paid_is_rounded_as_agreed(company: billing.Company, subscription: Subscription) -> None:
    agree(company.plan, WHOLE_EUROS)
    invoice = bill()
    assert (invoice.total, invoice.payable_rounding, invoice.payable) == (
        Decimal("61.88"),
        Decimal("0.12"),
        Decimal(62),
    )


def live() -> list[tuple[Decimal, Decimal, Decimal]]:
    """Total, paid in advance and to be paid, of invoices that were not discarded, in order of time."""
    invoices = Invoice.objects.exclude(status="discarded").order_by("period_start")
    return [(one.total, one.prepaid, one.payable) for one in invoices]


def offences() -> list[str]:
    return [offence for each in check_invariants.all_invariants() for offence in each.find_offenders()]


def test_invoices_use_up_what_was_paid_in_advance(company: billing.Company, subscription: Subscription) -> None:
    agree(subscription, DEPOSIT)
    invoice = bill()
    # 52.00 + 9.88 tax, all of it paid; of 100.00 there are 38.12 left for November's 49.00 + 9.31
    assert live() == [(Decimal("61.88"), Decimal("61.88"), 0)]
    billing.issue(company, [invoice])
    billing.close_november()
    assert live()[1] == (Decimal("58.31"), Decimal("38.12"), Decimal("20.19"))
    assert offences() == []


def test_two_periods_drafted_together_do_not_use_the_same_money(subscription: Subscription) -> None:
    agree(subscription, DEPOSIT)
    billing.close_november()
    assert [prepaid for _, prepaid, _ in live()] == [Decimal("61.88"), Decimal("38.12")]
    assert offences() == []


def test_a_discarded_draft_gives_back_what_it_used(company: billing.Company, subscription: Subscription) -> None:
    agree(subscription, DEPOSIT)
    billing.discard_draft(company, bill())
    billing.close_october()
    assert live() == [(Decimal("61.88"), Decimal("61.88"), 0)]


def test_more_money_paid_in_advance_is_the_next_version(company: billing.Company, subscription: Subscription) -> None:
    agree(subscription, DEPOSIT)
    agree(subscription, DEPOSIT, amount=Decimal("110.00"), effective_at=NOVEMBER)
    billing.issue(company, [bill()])
    billing.close_november()
    assert live()[1][1] == Decimal("48.12")  # 110.00 - 61.88
    assert offences() == []


def test_what_was_paid_in_advance_stands_on_the_document_and_is_rounded_after(subscription: Subscription) -> None:
    agree(subscription, {**DEPOSIT, "amount": Decimal("20.50")})
    agree(subscription, WHOLE_EUROS)
    context = page.page_context(queries.invoice_document(bill()))
    # 61.88 - 20.50 = 41.38, to be paid 41.00
    assert context["settlement"] == [
        ("Paid in advance", "-20.50"),
        ("Rounding", "-0.38"),
        ("To be paid (EUR)", "41.00"),
    ]


def test_what_was_paid_in_advance_belongs_to_one_subscription(company: billing.Company) -> None:
    with pytest.raises(InvoiceTermError, match="one subscription"):
        propose(company.plan, DEPOSIT)


def test_money_used_twice_is_found(subscription: Subscription) -> None:
    agree(subscription, DEPOSIT)
    billing.close_november()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE cycle_invoice SET prepaid = 58.31 WHERE prepaid = 38.12")
        cursor.execute("SET LOCAL session_replication_role = origin")
    assert any("paid in advance" in offence for offence in offences())


def test_a_term_counts_for_periods_that_end_after_its_instant(subscription: Subscription) -> None:
    agree(subscription, DISCOUNT, effective_at=NOVEMBER)
    agree(subscription, HANDLING, effective_at=NOVEMBER - timedelta(microseconds=1))
    assert [kind for kind, _, _ in parts(bill())] == ["charge"]


def test_a_version_of_nothing_ends_a_term(subscription: Subscription) -> None:
    agree(subscription, DISCOUNT)
    agree(subscription, {**DISCOUNT, "percent": Decimal(0)}, effective_at=OCTOBER)
    assert parts(bill()) == []


def test_what_is_only_proposed_or_was_withdrawn_does_not_count(subscription: Subscription) -> None:
    propose(subscription, DISCOUNT)
    withdrawn = propose(subscription, HANDLING)
    invoice_terms.withdraw_invoice_term(pk=withdrawn.pk, actor=billing.approver(), at=LONG_AGO)
    assert parts(bill()) == []


def test_nobody_approves_their_own_term(subscription: Subscription) -> None:
    frida = billing.approver()
    term = propose(subscription, DISCOUNT, actor=frida)
    with pytest.raises(proposals.OwnProposalError):
        invoice_terms.approve_invoice_term(pk=term.pk, actor=frida, at=LONG_AGO)
    approve_it = "UPDATE pricing_invoiceterm SET status = 'approved', decided_at = now(), decided_by_id = %s"
    assert guards.refuses(approve_it, [frida.pk])


def test_only_product_and_finance_propose(subscription: Subscription) -> None:
    with pytest.raises(NotAllowedError):
        propose(subscription, DISCOUNT, actor=billing.person("sam", "ops"))


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"percent": None}, "/percent"),
        ({"amount": Decimal(1)}, "/percent"),
        ({"percent": Decimal(101)}, "/percent"),
        ({"percent": Decimal(-1)}, "/percent"),
        ({"kind": "rounding"}, "/amount"),
        ({"kind": "prepaid"}, "/amount"),
        ({"percent": None, "amount": Decimal("0.001")}, "/amount"),
        ({"percent": None, "amount": Decimal(-1)}, "/amount"),
    ],
)
def test_a_term_says_one_figure_that_its_currency_can_express(
    subscription: Subscription, change: Any, pointer: str
) -> None:
    with pytest.raises(InvoiceTermError) as caught:
        propose(subscription, {**DISCOUNT, **change})
    assert caught.value.pointer == pointer


def test_the_content_hash_covers_what_was_taken_off(subscription: Subscription) -> None:
    agree(subscription, DISCOUNT)
    invoice = bill()
    assert content.hash_of_rows(invoice) == invoice.content_hash
    part = InvoiceAllowanceCharge.objects.get()
    part.reason = "Other words"
    lines = invoice.lines.select_related("rated_line__snapshot")
    again = content.hash_of(invoice, deducted={}, lines=lines, taxes=invoice.taxes.all(), on_document=[part])
    assert again != invoice.content_hash


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE cycle_invoiceallowancecharge SET amount = 1",
        "DELETE FROM cycle_invoiceallowancecharge",
        "UPDATE cycle_invoice SET revision = 1, allowances = 1",
        "UPDATE cycle_invoice SET revision = 1, payable_rounding = 1",
        "UPDATE cycle_invoice SET revision = 1, prepaid = 1",
        ADD_A_CHARGE,
    ],
)
def test_what_was_agreed_on_an_issued_invoice_never_changes(
    company: billing.Company, subscription: Subscription, statement: str
) -> None:
    agree(subscription, DISCOUNT)
    billing.issue(company, [bill()])
    assert guards.refuses(statement)


def test_a_draft_whose_parts_do_not_add_up_cannot_be_approved(subscription: Subscription) -> None:
    agree(subscription, DISCOUNT)
    bill()
    fiona = billing.person("fiona", "finance")
    approve = (
        "UPDATE cycle_invoice SET revision = 1, status = 'approved', approved_at = now(), approved_hash = content_hash,"
        " approved_by_id = %s"
    )
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(ADD_A_CHARGE)
    assert guards.refuses(approve, [fiona.pk])


def test_a_final_invoice_is_booked_with_what_was_taken_off_and_added(
    company: billing.Company, subscription: Subscription
) -> None:
    for terms in (DISCOUNT, HANDLING, WHOLE_EUROS):
        agree(subscription, terms)
    billing.issue(company, [bill()])
    # 49.00 + 3.00 - 5.20 + 5.00 = 51.80; 9.84 tax; 61.64 → 62.00
    booked = {each.account: each.debit - each.credit for each in Posting.objects.all()}
    assert booked == {
        "accounts_receivable": Decimal("62.00"),
        "revenue_subscription": Decimal("-49.00"),
        "revenue_usage": Decimal("-3.00"),
        "sales_allowances": Decimal("5.20"),
        "revenue_charges": Decimal("-5.00"),
        "tax_payable": Decimal("-9.84"),
        "rounding_differences": Decimal("-0.36"),
    }
    assert [offence for each in check_invariants.all_invariants() for offence in each.find_offenders()] == []


def test_the_document_prints_what_was_taken_off_and_what_is_to_be_paid(subscription: Subscription) -> None:
    agree(subscription, DISCOUNT)
    agree(subscription, WHOLE_EUROS)
    context = page.page_context(queries.invoice_document(bill()))
    # 52.00 - 5.20 = 46.80; 19 % = 8.892 → 8.89; 55.69 → 56.00
    assert context["line_sum"] == "52.00"
    assert context["allowances"] == [{"label": "Partner discount, 10% of 52.00", "amount": "-5.20"}]
    assert (context["subtotal"], context["total"]) == ("46.80", "55.69")
    assert context["settlement"] == [("Rounding", "0.31"), ("To be paid (EUR)", "56.00")]
    assert context["facts"][0] == ("To be paid (EUR)", "56.00")


@pytest.mark.django_db(transaction=True)
def test_a_preview_has_what_the_draft_will_have(subscription: Subscription) -> None:
    agree(subscription, DISCOUNT)
    agree(subscription, WHOLE_EUROS)
    found = preview.preview_for(customer_code="acme", start=OCTOBER, end=NOVEMBER, at=CLOSING)
    assert [(part.reason, part.amount) for part in found.on_document] == [("Partner discount", Decimal("5.20"))]
    assert (found.totals.total, found.totals.payable) == (Decimal("55.69"), Decimal(56))
    agree(subscription, DEPOSIT)
    found = preview.preview_for(customer_code="acme", start=OCTOBER, end=NOVEMBER, at=CLOSING)
    assert (found.totals.prepaid, found.totals.payable) == (Decimal("55.69"), 0)
