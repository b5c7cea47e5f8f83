"""An issued invoice of 58.31 EUR, and people who record what was paid for it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db import connection

from accounts.models import Customer
from core import audit
from invoicing.cycle.models import Invoice
from invoicing.ledger.models import Posting
from invoicing.payments import record
from invoicing.payments.models import Payment, RefundRequest
from tests.builders import billing
from tests.builders.billing import Company
from tests.builders.remembering import remembered

ASKED = Decimal("58.31")  # 49.00 and 19 % tax
PAID_AT = datetime(2026, 11, 5, 9, tzinfo=UTC)
RECORDED_AT = datetime(2026, 11, 6, 8, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The company, its customer, and what was issued to it for October."""

    company: Company
    customer: Customer
    invoice: Invoice

    @property
    def finance(self) -> User:
        return self.company.finance


@remembered
def open_desk(code: str = "acme", *, company: Company | None = None) -> Desk:
    """One customer with a base fee of 49.00, billed for October and issued as the first invoice."""
    company = company or billing.open_company()
    customer = billing.make_customer(code)
    billing.subscribe_to(company, customer)
    billing.close_october(customer_codes=[code])
    (invoice,) = billing.issue(company, list(Invoice.objects.filter(customer=customer)))
    assert invoice.total == ASKED
    return Desk(company=company, customer=customer, invoice=invoice)


def pay(desk: Desk, amount: str | Decimal = ASKED, *, reference: str = "SEPA 1", **facts: Any) -> Payment:
    """A bank transfer that came in, recorded the day after."""
    given = {
        "invoice": desk.invoice.number,
        "amount": Decimal(amount),
        "currency": "EUR",
        "method": "bank_transfer",
        "reference": reference,
        "received_at": PAID_AT,
        "actor": desk.finance,
        "at": RECORDED_AT,
        **facts,
    }
    return record.record_payment(**given)


def ask_for_refund(payment: Payment, *, actor: User, at: datetime) -> RefundRequest:
    """A refund that waits for a colleague, whatever the policy asks for."""
    entry = audit.append_entry(
        action="payment.refund_asked", subject=f"payment:{payment.pk}", actor=actor, facts={}, at=at
    )
    return RefundRequest.objects.create(
        payment=payment,
        amount=payment.amount,
        happened_at=at,
        reason="too much",
        asked_by=actor,
        asked_at=at,
        asking_entry=entry,
    )


def balances() -> dict[str, Decimal]:
    """Debits less credits by account; what comes to 0 is left out."""
    found: dict[str, Decimal] = {}
    for account, debit, credit in Posting.objects.values_list("account", "debit", "credit"):
        found[account] = found.get(account, Decimal(0)) + debit - credit
    return {account: amount for account, amount in found.items() if amount}


def break_by(statement: str) -> None:
    """Change rows as somebody with the owner's rights could: no trigger, no foreign key."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement)
        assert cursor.rowcount != 0  # -1 where a statement that counts none comes first
        cursor.execute("SET LOCAL session_replication_role = origin")
