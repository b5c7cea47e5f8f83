"""Disputes about October of acme: 49.00 + 1,500 tokens for 3.00, with 19 % tax 61.88."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User

from compliance.disputes import opening
from compliance.disputes.models import Dispute
from compliance.disputes.opening import Claim
from core import work
from invoicing.cycle.models import Invoice
from tests.builders import billing
from tests.builders.remembering import remembered
from tests.builders.tampering import tamper

NOON = datetime(2026, 11, 10, 12, tzinfo=billing.CLOSING.tzinfo)
TOKENS = 2  # the position of the line over tokens


@dataclass(frozen=True, kw_only=True)
class Desk:
    """An issued invoice, and the people who deal with what is said against it."""

    company: billing.Company
    invoice: Invoice
    ops: User
    engineer: User

    @property
    def finance(self) -> User:
        return self.company.finance


@remembered
def open_desk() -> Desk:
    company = billing.open_company()
    invoice = billing.issue(company, [billing.billed_customer(company)])[0]
    return Desk(
        company=company,
        invoice=invoice,
        ops=billing.person("olga", "ops"),
        engineer=billing.person("enza", "engineering"),
    )


def contest(desk: Desk, *, position: int | None = TOKENS, at: datetime = NOON) -> Dispute:
    claim = Claim(invoice_id=desk.invoice.pk, position=position, reason="quantity", text="We did not use that much.")
    return opening.open_for_staff(claim=claim, origin="back_office", actor=desk.ops, at=at)


def run_jobs(*, at: datetime = NOON) -> None:
    """What the worker does, by then."""
    work.run_due_jobs(at=at)


def on_its_path(desk: Desk, *, position: int | None = TOKENS, at: datetime = NOON) -> Dispute:
    """Opened, and its evidence rebuilt."""
    dispute = contest(desk, position=position, at=at)
    run_jobs(at=at + timedelta(minutes=1))
    dispute.refresh_from_db()
    return dispute


def break_the_chain() -> None:
    """Somebody with psql lowers what a stored event says: 1,000 tokens become 900."""
    tamper("UPDATE metering_usageevent SET data = '{\"units\": 900}' WHERE event_id = 'e1'")
