"""Every kind of line that a bill can have is walked both ways, by page, API and command, and its pack holds by itself.

The kinds are read from the code: who adds one finds that this journey does not know it. The walk itself takes minutes
and is for the night; packs of each kind are checked by day in tests/stages/test_evidence_packs.py.
"""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts.models import Customer
from compliance.evidence import events, followed, reached
from invoicing.cycle import at_once, credit_note, finalize
from invoicing.cycle.models import CreditLine, DeltaRow, DocumentType, Invoice, InvoiceLine
from invoicing.pricing import invoice_terms, subscribe
from invoicing.pricing.models import InvoiceTerm, Plan, PriceVersion, Subscription
from metering import ingest
from tests.builders import billing, fees, off_cycle, packs, people
from tests.builders.billing import CLOSING, LONG_AGO, NEXT_CLOSING, day
from tests.builders.people import ApiClient
from tests.journeys.test_charge_models import METERED

pytestmark = pytest.mark.django_db
MID_NOVEMBER = datetime(2026, 11, 15, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
Cause = DeltaRow.Cause
# Causes that stand in reports only: a draft made anew, and what a backfill would change, have lines of the other kinds.
IN_REPORTS = {Cause.REDRAFT, Cause.BACKFILL}


MODELS = """standard graduated volume package graduated_package volume_package percentage graduated_percentage dynamic
    bucketed dimensional flat fee_program commitment plan_discount prepaid_credits"""
JOURNEYED = {
    *(f"price: {model}" for model in MODELS.split()),
    *("because of: usage", "because of: unused_time", "because of: plan", "because of: credit"),
    *("invoice: cycle", "invoice: interim", "invoice: adjustment", "document: invoice", "document: credit_note"),
    *("agreed: allowance", "agreed: charge", "agreed: rounding", "agreed: prepaid"),
    *("in advance", "less what was billed before"),
}


def every_kind() -> set[str]:
    """What a price can be, what corrects a line, what an invoice is, and what can be agreed for a document."""
    return {
        *(f"price: {model}" for model in PriceVersion.ModelName),
        *(f"because of: {cause}" for cause in Cause if cause not in IN_REPORTS),
        *(f"invoice: {kind}" for kind in Invoice.Kind),
        *(f"document: {kind}" for kind in DocumentType),
        *(f"agreed: {kind}" for kind in InvoiceTerm.Kind),
        "in advance",
        "less what was billed before",
    }


def kinds_of(invoice: Invoice) -> Iterator[str]:
    yield f"invoice: {invoice.kind}"
    yield f"document: {invoice.document_type}"
    yield from (f"agreed: {part.kind}" for part in invoice.allowances_charges.all())
    yield from ["agreed: prepaid"] if invoice.prepaid else []
    yield from ["agreed: rounding"] if invoice.payable_rounding else []
    yield from (f"because of: {row.cause}" for report in invoice.delta_reports.all() for row in report.rows.all())
    for line in invoice.lines.select_related("rated_line__price_version"):
        yield f"price: {line.rated_line.price_version.model}"
        yield from ["in advance"] if line.segment_start >= invoice.period_end else []
        yield from ["less what was billed before"] if line.deductions.exists() else []


def test_this_journey_knows_every_kind_of_line_that_there_is() -> None:
    assert every_kind() == JOURNEYED


@pytest.mark.nightly
def test_every_kind_of_line_is_walked_both_ways_and_its_pack_holds_by_itself(tmp_path: Path) -> None:
    bill_everything(billing.open_company())
    final = list(Invoice.objects.filter(status="final").order_by("pk"))
    assert {kind for invoice in final for kind in kinds_of(invoice)} == JOURNEYED
    auditor = ApiClient(people.key_for(billing.person("audrey", "auditor")))
    browser = Client()
    browser.force_login(billing.person("audrey", "auditor"))
    walked = set()
    for invoice in final:
        walk_by_command(invoice)
        for line in invoice.lines.select_related("rated_line__snapshot", "rated_line__price_version"):
            walk_forward(line)
            kind = line.rated_line.price_version.model, line.adjusts_id is None, invoice.kind
            if kind not in walked:
                walk_back(line, auditor=auditor, browser=browser)
                walked.add(kind)
        walk_document(invoice, auditor=auditor, browser=browser)
        for credit in invoice.credit_lines.select_related("credits"):
            walk_credit(credit, auditor=auditor, browser=browser)
        told = packs.verify_bare(packs.write_pack(packs.make_pack(invoice, at=NEXT_CLOSING + 3 * MINUTE), tmp_path))
        assert (told.code, told.left_out) == (0, []), f"{invoice}: {told.text}"


def walk_by_command(invoice: Invoice) -> None:
    page = io.StringIO()
    call_command("trace", invoice.number, stdout=page)  # exits with 1 where a step differs
    assert "DIFFERS" not in page.getvalue()
    told = [line.description for line in invoice.lines.all()] + [one.description for one in invoice.credit_lines.all()]
    assert [description for description in told if description not in page.getvalue()] == []


def walk_back(line: InvoiceLine, *, auditor: ApiClient, browser: Client) -> None:
    answer = auditor.get(f"invoices/{line.invoice_id}/lines/{line.pk}/trace")
    assert answer.status_code == 200, answer.content
    walked = answer.json()
    assert walked["proof"]["verdict"] == "equal", f"{line}: {walked['proof']}"
    page = browser.get(reverse("admin:evidence_trace", args=[line.pk]))
    assert page.status_code == 200
    assert line.description in page.content.decode()


def walk_document(invoice: Invoice, *, auditor: ApiClient, browser: Client) -> None:
    """Allowances, charges, taxes, totals and what is to be paid, which are nobody's line."""
    told = auditor.get(f"invoices/{invoice.pk}/trace").json()
    assert told["proof"]["verdict"] == "equal", f"{invoice}: {told['proof']}"
    page = browser.get(reverse("admin:evidence_document", args=[invoice.pk]))
    assert "The total follows from the lines." in page.content.decode()


def walk_credit(credit: CreditLine, *, auditor: ApiClient, browser: Client) -> None:
    """Back to the line that it gives back, and from that line forward to it."""
    told = auditor.get(f"invoices/{credit.invoice_id}/credit-lines/{credit.pk}/trace").json()
    assert (told["proof"]["verdict"], told["credits"]["id"]) == ("equal", credit.credits_id)
    page = browser.get(reverse("admin:evidence_credit", args=[credit.pk]))
    assert reverse("admin:evidence_trace", args=[credit.credits_id]) in page.content.decode()
    later = auditor.get(f"invoices/{credit.credits.invoice_id}/lines/{credit.credits_id}/trace").json()["followed"]
    assert [one["amount"] for one in later if one["trace"].endswith(f"/credit-lines/{credit.pk}/trace")] == [
        told["amount"]
    ]


def walk_forward(line: InvoiceLine) -> None:
    """From each source event to the line, and from its snapshot too; from what it corrects, takes off or rates."""
    for earlier in [*([line.adjusts] if line.adjusts else []), *(one.billed for one in line.deductions.all())]:
        assert (line.pk, line.amount) in {(one.line_id, one.amount) for one in followed.what_follows(earlier)}
    for standing in line.rated_line.grounds.select_related("ground"):
        assert line.rated_line_id in standing.ground.carries.values_list("line", flat=True)
    snapshot = line.rated_line.snapshot
    if snapshot is None:
        return
    assert line in reached.lines_of_snapshot(snapshot)
    counted = [event.row for event in events.walk_events(snapshot)]
    assert len(counted) == snapshot.event_count
    for row in counted:
        found = reached.reach_of_event(source=row.source, event_id=row.event_id).reached
        assert line in {one for each in found if each.is_counted for one in each.lines}


def bill_everything(company: billing.Company) -> None:
    """October and November of three customers: all models, interim bills, fee programs, terms and every correction."""
    inside = billing.make_customer("inside")
    terms = off_cycle.threshold_terms("10.00", customers=["inside"])
    terms["late_usage"] = {"correction": "at_once", "grace_hours": "0"}
    billing.sign_a_policy(author=company.meter.owner, terms=terms, at=LONG_AGO + timedelta(days=1))
    plan = plan_of_everything(company)
    acme = billing.subscribe_to(company, billing.make_customer("acme"), plan=plan)
    billing.pay_in_advance(acme, "100")
    use_of_everything()
    bill_inside_the_period(company, inside)
    open_shop(company)
    billing.close_october()
    issue(company, kind="cycle", at=CLOSING)
    correct_october(company, acme)
    billing.close_november(at=NEXT_CLOSING)
    issue(company, kind="cycle", at=NEXT_CLOSING)


def plan_of_everything(company: billing.Company) -> Plan:
    plan = billing.make_plan("everything", finance=company.finance, fee="49", meter=None)
    for name, model, params, _ in METERED:
        known = name == company.meter.code
        meter = company.meter if known else billing.make_meter(name, event_type=name, owner=company.meter.owner)
        billing.set_price(plan, meter=meter, model=model, params=params, finance=company.finance)
    for charge, model, params in (
        ("support", "flat", {"amount": "30", "billed": "in_advance"}),
        ("discount", "plan_discount", {"discount_percent": "10"}),
        ("minimum", "commitment", {"minimum_amount": "1400"}),
        ("credits", "prepaid_credits", {"opening_balance": "50", "credit_rate": "1"}),
    ):
        billing.set_price(plan, charge=charge, model=model, params=params, finance=company.finance)
    for one in (
        {"code": "partner", "kind": "allowance", "reason": "Partner discount", "percent": Decimal(10)},
        {"code": "handling", "kind": "charge", "reason": "Handling", "amount": Decimal("5.00")},
        {"code": "rounding", "kind": "rounding", "reason": "Whole euros", "amount": Decimal(1)},
    ):
        agree(plan, **one)
    return plan


def agree(plan: Plan, **term: Any) -> None:
    author = billing.person("pia", "product")
    proposed = invoice_terms.propose_invoice_term(
        subject=plan, **term, effective_at=LONG_AGO, actor=author, at=LONG_AGO
    )
    invoice_terms.approve_invoice_term(pk=proposed.pk, actor=billing.approver(), at=LONG_AGO)


def use_of_everything() -> None:
    uses = [each for *_, used in METERED for each in used]
    sent = [
        {
            "specversion": "1.0",
            "source": "/meter/acme",
            "id": f"e{number}",
            "type": "usage" if event_type == "tokens" else event_type,
            "subject": "acme",
            "time": day(on).isoformat(),
            "data": data,
        }
        for number, (event_type, on, data) in enumerate(uses)
    ]
    assert ingest.capture_events(sent, channel="http", origin="test", at=CLOSING - timedelta(days=3)).accepted == len(
        uses
    )


def bill_inside_the_period(company: billing.Company, customer: Customer) -> None:
    billing.subscribe_to(company, customer)
    billing.use("inside", ("i1", day(3), 5500), at=day(4))
    (interim,) = off_cycle.look(day(5))
    off_cycle.issue(company, interim, at=day(6))
    billing.use("inside", ("i2", day(20), 1000), at=day(20))


def open_shop(company: billing.Company) -> None:
    """Somebody whose payouts are charged by a fee program, in dollars."""
    fees.approve_shipped("stripe-connect")
    meter = fees.make_meter("connect", fees.make_contract("payout.sent"))
    plan = billing.make_plan("platform", finance=company.finance, fee=None, meter=None, currency="USD")
    params = {"program": "stripe-connect", "amount": "amount", "account": "account", "country": "country"}
    billing.set_price(plan, meter=meter, model="fee_program", params=params, finance=company.finance)
    billing.subscribe_to(company, billing.make_customer("shop", currency="USD"), plan=plan)
    payout = fees.event("payout.sent", "north", {"amount": "1000.00", "account": "north", "country": "US"}, at=day(28))
    assert (
        ingest.capture_events([payout | {"subject": "shop"}], channel="http", origin="test", at=day(28)).accepted == 1
    )


def correct_october(company: billing.Company, acme: Subscription) -> None:
    """Late usage at once, with the lines of the plan that stand on it; a credit note; a fee that is not used up."""
    billing.use("acme", ("late", day(30), 5000), at=MID_NOVEMBER)
    assert len(at_once.draft_adjustments(at=MID_NOVEMBER + 60 * MINUTE).invoice_ids) == 1
    issue(company, kind="adjustment", at=MID_NOVEMBER + 61 * MINUTE)
    october = Invoice.objects.get(customer=Customer.objects.get(code="inside"), kind="cycle")
    note = credit_note.ask_for_credit(
        invoice_id=october.pk, reason="The service was down.", actor=company.finance, at=MID_NOVEMBER + 65 * MINUTE
    )
    billing.approve_by(company.other_finance, note, at=MID_NOVEMBER + 66 * MINUTE)
    finalize.finalize_invoice(invoice_id=note.pk, actor=None, at=MID_NOVEMBER + 67 * MINUTE)
    subscribe.end_subscription(
        subscription=acme, ends_at=day(21, month=11), actor=company.finance, at=MID_NOVEMBER + 70 * MINUTE
    )


def issue(company: billing.Company, *, kind: str, at: datetime) -> None:
    """All drafts of this kind, each by people who did not ask for it."""
    drafts = list(Invoice.objects.filter(status="draft", kind=kind).order_by("pk"))
    assert drafts
    billing.issue(company, drafts, at=at)
