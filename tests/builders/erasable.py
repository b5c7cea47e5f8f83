"""A customer and a payee who are persons, about whom everything is kept that the product keeps of somebody."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User

from accounts import external_ids, portal_access
from accounts.models import Customer
from compliance.disputes import decide as disputes_decide
from compliance.disputes import opening, talk
from compliance.disputes.models import Dispute
from compliance.disputes.opening import Claim
from compliance.payouts import evidence, gates, payables, register
from compliance.payouts.models import GateCheck, Payee
from core import work
from invoicing.charge_controls import limits
from invoicing.cycle import collection, comment, finalize, hold
from invoicing.cycle.models import Invoice
from invoicing.pricing.models import Subscription, SubscriptionPhase
from metering import contracts, ingest, late_sealing, quarantine
from metering.models import LaterSealing, QuarantinedEvent
from metering.rules.drafting import ContractDraft
from tests.builders import billing, payouts, said_of_many
from tests.builders.billing import CLOSING, Company
from tests.builders.tampering import tamper

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
WHO = {
    "legal_name": "Erika Mustermann",
    "address": "Heidestraße 17\n51147 Köln",
    "tax_id": "DE136695976",
    "email": "erika.mustermann@example.org",
}
SIGNS_IN = {"username": "e.mustermann", "first_name": "Erika", "last_name": "Mustermann", "email": "em@privat.example"}
CALLER = "+49 151 23456789"
PAPER = b"%PDF-1.4 passport of Anna Privatperson, born in Buxtehude"
SAID = "brother Egon called"  # stands in everything that somebody writes
WORDS = (
    *("Erika", "Mustermann", "mustermann", "Heidestra", "51147 K", "DE136695976", "example.org", "privat.example"),
    *(CALLER, "Egon", "Privatperson", "privatperson", "Buxtehude", "passport-anna"),
)


@dataclass(frozen=True, kw_only=True)
class Known:
    """The company that knows them, who asks and who decides, and what is kept of them."""

    company: Company
    ops: User
    finance: User
    customer: Customer
    payee: Payee
    invoice: Invoice
    dispute: Dispute


def make_known() -> Known:
    """Everything is decided, due and ended on 26 November 2026, so that nothing forbids an erasure."""
    company = billing.open_company()
    ops = billing.person("olga", "ops")
    customer = billing.make_customer("c-17", **WHO)
    _send("e0", {"units": 0, "caller": CALLER}, subject="c-17")
    _mark_the_caller(company)
    external_ids.add_external_id(
        customer_code="c-17", system="crm", external_id="contact-991", actor=ops, at=billing.LONG_AGO
    )
    portal_access.give_access(
        customer=customer, person=SIGNS_IN, password="a long word that nobody guesses", actor=ops, at=CLOSING
    )
    billing.subscribe_to(company, customer)
    _send("e1", {"units": 1000, "caller": CALLER}, subject="c-17")
    _send("e2", {"units": 500}, subject="c-17")
    _send("e2b", {"units": 500}, subject="c-17", corrects="e2", correction="amend", correctionreason=SAID)
    _hold_back(ops)
    said_of_many.neighbour(company)
    said_of_many.hold_drafts(said=SAID, actor=company.finance, other=company.other_finance)
    said_of_many.discard_events(said=SAID, actor=ops)
    said_of_many.stage_events(said=SAID, actor=ops, finance=company.finance)
    invoice = _issue(company)
    for model in (SubscriptionPhase, Subscription):
        tamper(f"UPDATE {model._meta.db_table} SET ends_at = '{billing.NOVEMBER.isoformat()}'")  # noqa: S608
    limits.set_limit(customer_code="c-17", currency="EUR", amount=None, reason=SAID, actor=company.finance, at=NOW)
    dispute = _dispute(invoice, ops=ops, finance=company.finance)
    return Known(
        company=company,
        ops=ops,
        finance=company.other_finance,
        customer=customer,
        payee=_payee(ops),
        invoice=Invoice.objects.get(pk=invoice.pk),
        dispute=dispute,
    )


def _mark_the_caller(company: Company) -> None:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"units": {"type": "number"}, "caller": {"type": "string", "x-personal": True}},
        "required": ["units"],
    }
    invalid = {"data": {"caller": "x"}, "code": "billing_field_missing", "pointer": "/data/units"}
    draft = ContractDraft(
        schema=schema, billing_fields=["units"], valid_examples=[{"units": 1}], invalid_examples=[invalid]
    )
    contracts.draft_version(
        contract=company.meter.contract,
        draft=draft,
        is_activated=True,
        actor=company.meter.owner,
        at=billing.LONG_AGO,
    )
    late_sealing.go_on(sealing_id=LaterSealing.objects.get().pk, at=CLOSING)


def _send(name: str, data: dict[str, Any], **named: str) -> None:
    event = {"specversion": "1.0", "id": name, "source": "calls", "type": "usage", "time": "2026-10-03T00:00:00Z"}
    ingest.capture_events([{**event, **named, "data": data}], channel="http", origin="test", at=CLOSING)


def _hold_back(ops: User) -> None:
    """By code, by the id of another system, and by names that nobody knows."""
    _send("bad-1", {"caller": CALLER}, subject="c-17")
    _send("bad-2", {"caller": CALLER}, subjectsystem="crm", subjectid="contact-991")
    _send("bad-3", {"units": 1, "note": "for Erika Mustermann"}, subject="nobody-yet")
    _send("bad-4", {"units": 1}, subject=WHO["email"])
    held = QuarantinedEvent.objects.get(event_id="bad-1")
    quarantine.discard_event(quarantine_id=held.pk, reason=SAID, actor=ops, at=CLOSING)


def _issue(company: Company) -> Invoice:
    """Held, released, remarked on, approved, issued, and on hold for collection for a day."""
    draft, at = Invoice.objects.get(customer__code="c-17"), CLOSING + timedelta(minutes=1)
    hold.hold_invoice(invoice_id=draft.pk, reason=SAID, actor=company.finance, at=at)
    hold.release_invoice(invoice_id=draft.pk, reason=SAID, actor=company.other_finance, at=at)
    comment.add_comment(invoice_id=draft.pk, text=SAID, actor=company.finance, at=at)
    draft.refresh_from_db()
    billing.approve_by(company.other_finance, draft, at=at + timedelta(hours=1))
    finalize.finalize_invoice(invoice_id=draft.pk, actor=None, at=at + timedelta(hours=2))
    collection.hold_collection(invoice_id=draft.pk, reason=SAID, actor=company.finance, at=at + timedelta(days=1))
    collection.lift_collection(invoice_id=draft.pk, reason=SAID, actor=company.finance, at=at + timedelta(days=2))
    return draft


def _dispute(invoice: Invoice, *, ops: User, finance: User) -> Dispute:
    """Opened and answered in words, with a letter and its pack."""
    at = NOW - timedelta(days=3)
    claim = Claim(invoice_id=invoice.pk, position=2, reason="quantity", text=SAID)
    dispute = opening.open_for_staff(claim=claim, origin="back_office", actor=ops, at=at)
    work.run_due_jobs(at=at + timedelta(minutes=1))
    talk.write_remark(dispute_id=dispute.pk, text=SAID, actor=finance, at=at + timedelta(minutes=2))
    disputes_decide.reject(dispute_id=dispute.pk, answer=SAID, actor=ops, at=at + timedelta(minutes=3))
    work.run_due_jobs(at=at + timedelta(minutes=4))
    dispute.refresh_from_db()
    return dispute


def _payee(ops: User) -> Payee:
    """Never paid: her passport was looked at, and the one debt was withdrawn."""
    desk = payouts.open_desk()
    anna = register.register_payee(
        code="anna",
        legal_name="Anna Privatperson",
        kind="person",
        program="marketplace",
        market="EU",
        country="DE",
        email="anna@privatperson.example",
        actor=desk.finance,
        at=payouts.NOON,
    )
    check = GateCheck.objects.get(payee=anna, kind="kyc")
    evidence.add_file(check_id=check.pk, name="passport-anna.pdf", content=PAPER, actor=ops, at=payouts.NOON)
    gates.decide_gate(
        check_id=check.pk,
        verdict="approve",
        reason=SAID,
        evidence="the passport of Anna Privatperson",
        expires_at=None,
        actor=ops,
        at=payouts.NOON,
    )
    owed = payouts.payable(desk, anna)
    payables.withdraw_payable(payable_id=owed.pk, reason=SAID, actor=desk.finance, at=payouts.NOON)
    return anna
