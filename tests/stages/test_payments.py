"""Payments of issued invoices: their steps, what each means for the books, and what PostgreSQL refuses."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from core import personal_keys
from core.errors import InvalidInputError, NotAllowedError, NotFoundError
from core.models import AuditEntry
from invoicing.cycle.models import Invoice
from invoicing.ledger.models import JournalEntry
from invoicing.payments import invariants, queries, record, refund
from invoicing.payments.models import Overpayment, Payment, PaymentTransition
from invoicing.payments.rules.lifecycle import Step
from tests.builders import billing, guards, payments
from tests.builders.payments import PAID_AT, RECORDED_AT, Desk, balances, open_desk, pay
from tests.builders.soundness import offences

pytestmark = pytest.mark.django_db
LATER = RECORDED_AT + timedelta(days=3)
ISSUED = {"revenue_subscription": Decimal("-49.0000"), "tax_payable": Decimal("-9.3100")}


@pytest.fixture
def desk() -> Desk:
    return open_desk()


def happens(desk: Desk, payment: Payment, step: Step, amount: str | None = None, **facts: Any) -> Payment:
    given = {"happened_at": LATER, "reason": "as the bank says", "actor": desk.finance, "at": LATER, **facts}
    about = None if amount is None else Decimal(amount)
    if step == Step.REFUNDED:
        refund.refund_payment(payment_id=payment.pk, amount=about, **given)
        return Payment.objects.get(pk=payment.pk)
    return record.record_step(payment_id=payment.pk, step=step, amount=about, **given)


def books(**amounts: str) -> dict[str, Decimal]:
    return {**ISSUED, **{account: Decimal(amount) for account, amount in amounts.items()}}


def test_a_bank_transfer_settles_an_invoice(desk: Desk) -> None:
    payment = pay(desk)
    assert (payment.status, payment.received) == ("settled", Decimal("58.31"))
    assert queries.due_of(desk.invoice).due == 0
    assert balances() == books(cash="58.31")
    assert offences() == {}


def test_every_step_is_kept_with_when_it_happened_and_when_it_was_recorded(desk: Desk) -> None:
    payment = pay(desk)
    steps = list(payment.transitions.order_by("revision"))
    assert [(one.step, one.from_status, one.to_status, one.amount) for one in steps] == [
        ("recorded", "", "pending", 0),
        ("settled", "pending", "settled", Decimal("58.31")),
    ]
    assert {(one.happened_at, one.recorded_at, one.actor) for one in steps} == {(PAID_AT, RECORDED_AT, desk.finance)}
    told = AuditEntry.objects.filter(subject=f"payment:{payment.pk}").order_by("id")
    assert [one.action for one in told] == ["payment.recorded", "payment.settled"]


def test_a_fee_is_what_the_statement_says(desk: Desk) -> None:
    pay(desk, fee=Decimal("0.35"))
    assert balances() == books(cash="57.96", payment_fees="0.35")
    assert offences() == {}


def test_an_invoice_is_paid_in_parts(desk: Desk) -> None:
    pay(desk, "20.00", reference="first")
    assert queries.due_of(desk.invoice).due == Decimal("38.31")
    pay(desk, "38.31", reference="second")
    assert queries.due_of(desk.invoice).due == 0
    assert offences() == {}


def test_what_is_paid_too_much_stands_in_the_customers_favour(desk: Desk) -> None:
    payment = pay(desk, "70.00")
    assert Overpayment.objects.get().amount == Decimal("11.69")
    assert Overpayment.objects.get().transition.payment == payment
    assert balances() == books(cash="70", customer_balance_liability="-11.69")
    assert queries.due_of(desk.invoice).in_favour == Decimal("11.69")
    assert offences() == {}


def test_what_is_paid_too_much_pays_the_next_invoice(desk: Desk) -> None:
    pay(desk, "70.00")
    billing.close_november()
    (november,) = billing.issue(desk.company, list(Invoice.objects.filter(status="draft")), at=billing.NEXT_CLOSING)
    assert queries.due_of(november).due == Decimal("46.62")  # 58.31 less 11.69
    assert balances()["accounts_receivable"] == Decimal("46.62")
    assert offences() == {}


def test_what_is_paid_twice_pays_what_else_is_open(desk: Desk) -> None:
    billing.close_november()
    (november,) = billing.issue(desk.company, list(Invoice.objects.filter(status="draft")), at=billing.NEXT_CLOSING)
    pay(desk, reference="once", at=billing.NEXT_CLOSING)
    pay(desk, reference="twice", at=billing.NEXT_CLOSING)
    assert Overpayment.objects.get().amount == Decimal("58.31")
    assert queries.due_of(november).due == 0
    assert JournalEntry.objects.get(key__endswith=":set_off").memo == f"Payment of {desk.invoice.number}: set off"
    assert "accounts_receivable" not in balances()
    assert offences() == {}


def test_a_refund_makes_the_invoice_due_again(desk: Desk) -> None:
    payment = happens(desk, pay(desk), Step.REFUNDED)
    assert payment.status == "refunded"
    assert queries.due_of(desk.invoice).due == Decimal("58.31")
    assert balances() == books(accounts_receivable="58.31")
    assert offences() == {}


def test_a_refund_in_part_leaves_it_settled(desk: Desk) -> None:
    payment = happens(desk, pay(desk), Step.REFUNDED, "8.31")
    assert (payment.status, payment.refunded) == ("settled", Decimal("8.31"))
    payment = happens(desk, payment, Step.REFUNDED)
    assert (payment.status, payment.refunded) == ("refunded", Decimal("58.31"))
    assert offences() == {}


def test_a_refund_first_takes_what_stands_in_the_customers_favour(desk: Desk) -> None:
    happens(desk, pay(desk, "70.00"), Step.REFUNDED, "11.69")
    assert balances() == books(cash="58.31")
    assert queries.due_of(desk.invoice).due == 0
    assert offences() == {}


def test_a_chargeback_is_a_claim_until_its_dispute_is_decided(desk: Desk) -> None:
    payment = happens(desk, pay(desk), Step.DISPUTED, fee=Decimal("15.00"))
    assert (payment.status, payment.contested) == ("chargeback", Decimal("58.31"))
    assert balances() == books(cash="-15", dispute_fees="15", disputes_receivable="58.31")
    assert offences() == {}


def test_a_dispute_that_was_won_gives_the_money_back(desk: Desk) -> None:
    payment = happens(desk, pay(desk), Step.DISPUTED, fee=Decimal("15.00"))
    payment = happens(desk, payment, Step.WON, fee=Decimal("-15.00"))
    assert (payment.status, payment.contested) == ("settled", 0)
    assert balances() == books(cash="58.31")
    assert offences() == {}


def test_a_dispute_that_was_lost_is_a_loss_and_the_end(desk: Desk) -> None:
    payment = happens(desk, pay(desk), Step.DISPUTED)
    payment = happens(desk, payment, Step.LOST)
    assert (payment.status, payment.lost) == ("chargeback", Decimal("58.31"))
    assert balances() == books(bad_debt_or_refund="58.31")
    for step in (Step.WON, Step.LOST, Step.REFUNDED):
        with pytest.raises(Exception, match="cannot be"):
            happens(desk, payment, step)
    assert offences() == {}


def test_what_failed_can_be_settled_by_a_later_attempt(desk: Desk) -> None:
    payment = pay(desk, received_at=None)
    assert payment.status == "pending"
    payment = happens(desk, payment, Step.FAILED)
    assert payment.status == "errored"
    assert balances() == books(accounts_receivable="58.31")
    payment = happens(desk, payment, Step.SETTLED)
    assert payment.status == "settled"
    assert offences() == {}


@pytest.mark.parametrize(
    ("facts", "pointer"),
    [
        ({"amount": Decimal("0.00")}, "/amount"),
        ({"amount": Decimal("-1.00")}, "/amount"),
        ({"amount": Decimal("1.005")}, "/amount"),
        ({"currency": "USD"}, "/currency"),
        ({"reference": "  "}, "/reference"),
        ({"received_at": RECORDED_AT + timedelta(hours=1)}, "/happened_at"),
        ({"fee": Decimal("-0.01")}, "/fee"),
        ({"fee": Decimal("0.001")}, "/fee"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(desk: Desk, facts: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        pay(desk, **facts)
    assert refused.value.pointer == pointer


def test_only_an_issued_invoice_is_paid(desk: Desk) -> None:
    billing.close_november()
    draft = Invoice.objects.get(status="draft")
    with pytest.raises(NotFoundError):
        pay(desk, invoice="none")
    assert guards.refuses(
        "INSERT INTO payments_payment (invoice_id, amount, currency, method, reference, reference_mark, gateway,"
        " gateway_id, status, revision, received, refunded, contested, lost, created_by_id, created_at)"
        " VALUES (%s, 1, 'EUR', 'card', '', 'x', '', '', 'pending', 1, 0, 0, 0, 0, %s, now())",
        [draft.pk, desk.finance.pk],
    )


def test_a_reference_is_recorded_once_however_it_is_written(desk: Desk) -> None:
    pay(desk, "20.00", reference="End-to-End 7")
    with pytest.raises(record.PaymentExistsError):
        pay(desk, "20.00", reference=" end-to-end   7 ")
    assert Payment.objects.count() == 1


def test_only_finance_records(desk: Desk) -> None:
    for role in ("ops", "product", "engineering", "auditor"):
        with pytest.raises(NotAllowedError):
            pay(desk, actor=billing.person(f"a-{role}", role))


def test_more_than_came_in_does_not_go_back(desk: Desk) -> None:
    payment = pay(desk)
    with pytest.raises(InvalidInputError):
        happens(desk, payment, Step.REFUNDED, "58.32")
    happens(desk, payment, Step.REFUNDED, "50.00")
    with pytest.raises(InvalidInputError):
        happens(desk, payment, Step.DISPUTED, "8.32")


def test_words_lie_under_the_customers_key(desk: Desk) -> None:
    payment = happens(desk, pay(desk, reference="Anna Muster, October"), Step.REFUNDED, "1.00", reason="she called")
    with connection.cursor() as cursor:
        cursor.execute("SELECT reference, reason FROM payments_payment, payments_paymenttransition")
        kept = {text for row in cursor.fetchall() for text in row if text}
    assert kept
    assert all(text.startswith("sealed:1:") for text in kept)
    assert payment.reference == "Anna Muster, October"
    told = AuditEntry.objects.filter(action="payment.refunded").get()
    assert told.facts["reason"].startswith("sealed:1:")


def test_of_an_erased_customer_the_figures_stay_and_the_words_go(desk: Desk) -> None:
    payment = happens(desk, pay(desk, reference="Anna Muster"), Step.REFUNDED, "1.00", reason="she called")
    personal_keys.destroy_keys([desk.customer.personal_key_id or 0], at=LATER)
    left = Payment.objects.get(pk=payment.pk)
    assert (left.refunded, left.reference) == (Decimal("1.00"), f"erased on {LATER.day} Nov 2026")
    happens(desk, payment, Step.REFUNDED, reason="she called again")
    assert {str(move.reason) for move in left.transitions.exclude(reason="")} <= {
        left.reference,
        personal_keys.NOT_KEPT,
    }
    # Nobody asked for this erasure, and that alone is an offence.
    assert offences().keys() == {"every destroyed key is named by a proof, and that one by the audit chain"}


def test_a_large_refund_takes_two_persons() -> None:
    company = billing.open_company()
    billing.ask_for_two(company, above="50.00")
    customer = billing.make_customer("acme")
    billing.subscribe_to(company, customer)
    billing.close_october()
    invoice = Invoice.objects.get()
    billing.approve_by(company.other_finance, invoice)
    (invoice,) = billing.issue(company, [invoice])
    desk = Desk(company=company, customer=customer, invoice=invoice)
    payment = pay(desk)
    happens(desk, payment, Step.REFUNDED, "50.00")  # not above it
    payment.refresh_from_db()
    assert payment.refunded == Decimal("50.00")
    second = pay(desk, "58.31", reference="again")
    assert happens(desk, second, Step.REFUNDED).status == "settled"
    request = second.refund_requests.get()
    with pytest.raises(refund.RefundDecidedError):
        happens(desk, second, Step.REFUNDED)
    with pytest.raises(refund.OwnRefundError):
        refund.confirm_refund(request_id=request.pk, actor=desk.finance, at=LATER)
    assert guards.refuses(
        "UPDATE payments_refundrequest SET decision = 'confirmed', decided_by_id = asked_by_id, decided_at = now(),"
        " transition_id = %s",
        [second.transitions.earliest("pk").pk],
    )
    refund.confirm_refund(request_id=request.pk, actor=company.other_finance, at=LATER)
    second.refresh_from_db()
    assert second.status == "refunded"
    assert offences() == {}


def test_postgresql_keeps_payments_as_they_are(desk: Desk) -> None:
    payment = pay(desk)
    assert guards.keeps_its_rows(Payment)
    assert guards.keeps_its_rows(PaymentTransition)
    assert guards.refuses("UPDATE payments_payment SET amount = 1, revision = revision + 1")
    assert guards.refuses("UPDATE payments_payment SET status = 'pending', received = 0, revision = revision + 1")
    assert guards.refuses("UPDATE payments_payment SET refunded = 1, revision = revision + 1")
    assert guards.refuses("UPDATE payments_payment SET revision = revision + 1")
    assert guards.refuses("UPDATE payments_payment SET lost = 1")
    assert guards.refuses("UPDATE payments_paymenttransition SET amount = 1")
    assert guards.refuses(
        "INSERT INTO payments_paymenttransition (payment_id, revision, step, from_status, to_status, amount, fee,"
        " happened_at, recorded_at, actor_id, reason, entry_id, audit_entry_id)"
        " SELECT payment_id, 3, 'settled', 'pending', 'settled', 0, 0, now(), now(), actor_id, '',"
        " (SELECT min(id) FROM ledger_journalentry), (SELECT min(id) FROM core_auditentry)"
        " FROM payments_paymenttransition WHERE payment_id = %s AND revision = 1",
        [payment.pk],
    )


BROKEN = [
    (
        "what a customer owes in the books is what final invoices say less what was paid",
        "UPDATE payments_payment SET received = 50",
    ),
    (
        "what a customer owes in the books is what final invoices say less what was paid",
        "UPDATE ledger_posting SET debit = debit + 1 WHERE account = 'accounts_receivable' AND debit > 0",
    ),
    (
        "what a gateway told is applied once, and each of its ids names one payment",
        """
        WITH told AS (
            INSERT INTO payments_gatewayevent (gateway, event_id, kind, payment_ref, facts, created_at, received_at,
                                               body_sha256, outcome, detail)
            VALUES ('stripe', 'evt_1', 'charge.succeeded', 'ch_1', '{}', now(), now(), '', 'refused', '') RETURNING id
        )
        UPDATE payments_paymenttransition SET event_id = told.id, actor_id = NULL FROM told WHERE step = 'settled'
        """,
    ),
    (
        "whoever asked for a refund did not confirm it",
        """
        ALTER TABLE payments_refundrequest DROP CONSTRAINT payments_refund_four_eyes;
        INSERT INTO payments_refundrequest (payment_id, amount, fee, happened_at, reason, asked_by_id, asked_at,
                                            asking_entry_id, decision, decided_by_id, decided_at)
        SELECT payment_id, 1, 0, now(), 'x', actor_id, now(), audit_entry_id, 'confirmed', actor_id, now()
        FROM payments_paymenttransition WHERE step = 'settled'
        """,
    ),
    (
        "each step of a payment that moves money has exactly one entry, over its money",
        "UPDATE payments_paymenttransition SET amount = 50 WHERE step = 'settled'",
    ),
    (
        "money, fees and disputes are booked by payments alone",
        "UPDATE ledger_posting SET account = 'cash' WHERE account = 'tax_payable'",
    ),
    (
        "what the books hold as contested is what payments in dispute come to",
        "UPDATE payments_payment SET contested = 5, status = 'chargeback'",
    ),
    (
        "every payment went by the table and stands where its steps led",
        "UPDATE payments_payment SET status = 'pending', received = 0",
    ),
    (
        "every payment went by the table and stands where its steps led",
        "DELETE FROM payments_paymenttransition WHERE step = 'recorded'",
    ),
    (
        "a payment is for a final invoice, in its currency",
        "UPDATE payments_payment SET currency = 'USD'",
    ),
    (
        "one audit reference tells each step of a payment",
        "UPDATE payments_paymenttransition SET recorded_at = now() WHERE step = 'settled'",
    ),
    (
        "what was paid above an invoice is kept as an overpayment",
        "UPDATE payments_payment SET amount = 90, received = 90",
    ),
]


def test_every_invariant_of_payments_has_an_offence_here() -> None:
    assert {one.name for one in invariants.INVARIANTS} == {name for name, _ in BROKEN}


@pytest.mark.parametrize(("name", "statement"), BROKEN)
def test_what_is_broken_behind_everybodys_back_is_found(desk: Desk, name: str, statement: str) -> None:
    pay(desk)
    assert offences() == {}
    payments.break_by(statement)
    assert name in offences()
