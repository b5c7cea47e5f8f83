"""Interim drafts: who gets one, once per crossing, and what stands between them and the close."""

from datetime import UTC, datetime, timedelta

import pytest

from billing_ops.management.commands import check_invariants
from core.errors import NotAllowedError
from invoicing.cycle import discard, off_cycle, preview, tasks
from invoicing.cycle.models import Deduction, InterimFiring, Invoice, ParkedCustomer
from invoicing.cycle.off_cycle import Asked
from metering.models import AggregationSnapshot
from tests.builders import billing, guards, interim_offences
from tests.builders import off_cycle as looking
from tests.builders.billing import NOVEMBER, OCTOBER, Company
from tests.builders.tampering import tamper

pytestmark = pytest.mark.django_db


def at(day: int, hour: int = 8) -> datetime:
    return datetime(2026, 10, day, hour, tzinfo=UTC)


@pytest.fixture
def company() -> Company:
    """Invoices at 5.00 EUR of usage; 0.002 per token."""
    company = billing.open_company()
    looking.sign(looking.threshold_terms("5.00"), since=OCTOBER)
    billing.subscribe_to(company, billing.make_customer("acme"))
    return company


@pytest.fixture
def interim(company: Company) -> Invoice:
    """2,500 tokens, exactly 5.00."""
    billing.use("acme", ("e1", at(3), 2500), at=at(4))
    [invoice] = looking.look(at(5))
    return invoice


class TestADraft:
    def test_it_is_drafted_at_the_amount_and_not_below(self, company: Company) -> None:
        billing.use("acme", ("e1", at(3), 2497), at=at(4))  # 4.994, rounded 4.99
        assert looking.look(at(5)) == []
        assert not AggregationSnapshot.objects.exists()  # what was counted for nothing is undone
        billing.use("acme", ("e2", at(3), 3), at=at(5))
        assert len(looking.look(at(6))) == 1

    def test_its_firing_keeps_what_decided(self, interim: Invoice) -> None:
        firing = InterimFiring.objects.get()
        assert (firing.invoice, firing.policy, firing.watermark) == (interim, interim.policy, interim.watermark)
        assert (f"{firing.threshold:.2f}", f"{firing.unbilled:.2f}", firing.ordinal) == ("5.00", "5.00", 1)
        assert firing.facts == [{"charge": "tokens", "quantity": "2500", "amount": "5", "before": "0"}]

    def test_usage_dated_after_the_look_waits(self, company: Company) -> None:
        billing.use("acme", ("e1", at(3), 2500), ("e2", at(5, 9), 700), at=at(5, 10))
        [invoice] = looking.look(at(5, 9))
        assert looking.lines_of(invoice) == [("Tokens", "2500", "5.00")]

    def test_it_is_approved_issued_and_printed_like_any_other(self, company: Company, interim: Invoice) -> None:
        final = looking.issue(company, interim, at=at(5, 9))
        tasks.render_invoice_pdf(invoice_id=final.pk)
        assert (final.number, f"{final.total:.2f}") == ("INV-000001", "5.95")

    def test_a_price_that_includes_units_gives_them_once_and_in_full(self, company: Company) -> None:
        calls = billing.make_meter("calls", event_type="call", owner=company.meter.owner)
        params = {"unit_amount": "0.01", "included_quantity": "1000"}
        billing.set_price(company.plan, meter=calls, model="standard", params=params, finance=company.finance)
        billing.use("acme", ("c1", at(3), 1600), event_type="call", at=at(4))  # 600 over: 6.00
        [invoice] = looking.look(at(5))
        assert looking.lines_of(invoice) == [("Tokens", "0", "0.00"), ("Calls", "1600", "6.00")]

    def test_another_currency_has_no_amount_and_gets_none(self, company: Company) -> None:
        dollars = billing.make_plan(
            "dollars", finance=company.finance, fee=None, meter=company.meter, unit_amount="1", currency="USD"
        )
        billing.subscribe_to(company, billing.make_customer("globex", currency="USD"), plan=dollars)
        billing.use("globex", ("g1", at(3), 2500), at=at(4))
        assert looking.look(at(5)) == []

    def test_a_customer_without_a_tax_rate_is_reported_and_the_others_go_on(self, company: Company) -> None:
        billing.subscribe_to(company, billing.make_customer("globex", tax_rate_code="gone"))
        for code in ("acme", "globex"):
            billing.use(code, (f"{code}-1", at(3), 2500), at=at(4))
        report = off_cycle.draft_interims(at=at(5))
        assert len(report.invoice_ids) == 1
        assert "No tax rate gone" in report.failed[0][1]

    def test_no_policy_that_says_so_no_interim_invoice(self, company: Company) -> None:
        looking.sign({}, since=at(2))
        billing.use("acme", ("e1", at(3), 2500), at=at(4))
        assert looking.look(at(5)) == []


class TestOncePerCrossing:
    def test_no_second_draft_while_the_first_is_undecided(self, interim: Invoice) -> None:
        billing.use("acme", ("e2", at(6), 9000), at=at(6))
        assert looking.look(at(7)) == []

    def test_a_discarded_draft_answers_its_crossing(self, company: Company, interim: Invoice) -> None:
        discard.discard_invoice(invoice_id=interim.pk, reason="wait for the end", actor=company.finance, at=at(6))
        assert looking.look(at(7)) == []
        billing.use("acme", ("e2", at(7), 2500), at=at(8))  # 10.00, none of it issued
        [again] = looking.look(at(9))
        assert looking.lines_of(again) == [("Tokens", "5000", "10.00")]
        assert InterimFiring.objects.count() == 2


class TestTheClose:
    def test_it_waits_for_an_undecided_interim_invoice(self, company: Company, interim: Invoice) -> None:
        [failure] = billing.close_october().failed
        assert (failure.code, ParkedCustomer.objects.get(left_at=None).code) == ("interim_undecided",) * 2
        discard.discard_invoice(invoice_id=interim.pk, reason="bill it at the end", actor=company.finance, at=NOVEMBER)
        assert billing.close_october().drafted == 1
        whole = Invoice.objects.get(kind="cycle")
        assert looking.lines_of(whole) == [("Base", "1", "49.00"), ("Tokens", "2500", "5.00")]

    def test_a_closed_period_gets_no_interim_invoice(self, company: Company) -> None:
        billing.close_october()
        billing.use("acme", ("e1", at(30), 2500))
        report = off_cycle.draft_interims(at=at(31, 23))
        assert (report.invoice_ids, report.failed) == ([], [])

    def test_a_price_agreed_anew_from_the_start_still_takes_off_what_was_billed(
        self, company: Company, interim: Invoice
    ) -> None:
        looking.issue(company, interim, at=at(5, 9))
        price = {"unit_amount": "0.001"}
        billing.set_price(
            company.plan,
            meter=company.meter,
            model="standard",
            params=price,
            finance=company.finance,
            effective_at=OCTOBER - timedelta(days=1),
        )
        billing.close_october()
        whole = Invoice.objects.get(kind="cycle")
        assert looking.lines_of(whole) == [("Base", "1", "49.00"), ("Tokens", "0", "-2.50")]

    def test_the_preview_takes_it_off_too(self, company: Company, interim: Invoice) -> None:
        looking.issue(company, interim, at=at(5, 9))
        billing.use("acme", ("e2", at(6), 500), at=at(7))
        shown = preview.preview_for(customer_code="acme", start=OCTOBER, end=NOVEMBER, at=at(8))
        assert [f"{line.amount:.2f}" for line in shown.lines] == ["49.00", "1.00"]


class TestAskedByAChargeControl:
    def test_it_bills_what_was_used_whatever_it_comes_to(self, company: Company) -> None:
        control = {"kind": "credit_exposure", "currency": "EUR", "amount": "60.00", "action": "interim_bill"}
        policy = looking.sign({**looking.threshold_terms("500.00"), "charge_controls": [control]}, since=at(2))
        billing.use("acme", ("e1", at(3), 1000), at=at(4))
        report = off_cycle.draft_interims(asked=Asked(by="charge-control:7", currency="EUR"), at=at(5))
        firing = InterimFiring.objects.get()
        assert [firing.invoice_id] == report.invoice_ids
        assert (firing.cause, firing.asked_by, firing.policy) == ("credit_exposure", "charge-control:7", policy)
        assert (f"{firing.threshold:.2f}", f"{firing.unbilled:.2f}") == ("60.00", "2.00")

    def test_a_policy_without_such_a_control_lets_nobody_ask(self, company: Company) -> None:
        billing.use("acme", ("e1", at(3), 1000), at=at(4))
        report = off_cycle.draft_interims(asked=Asked(by="charge-control:7", currency="EUR"), at=at(5))
        assert (report.invoice_ids, report.failed) == ([], [])


class TestWhatPostgresqlRefuses:
    def test_a_firing_or_deduction_that_changes_or_goes(self, company: Company, interim: Invoice) -> None:
        looking.issue(company, interim, at=at(5, 9))
        billing.close_october()
        assert guards.refuses("UPDATE cycle_interimfiring SET threshold = 1")
        assert guards.refuses("UPDATE cycle_deduction SET line_id = billed_id")
        assert guards.keeps_its_rows(InterimFiring)
        assert guards.keeps_its_rows(Deduction)

    def test_a_second_undecided_invoice_of_the_period(self, company: Company, interim: Invoice) -> None:
        columns = "customer_id, seller_id, watermark_id, policy_id, currency, period_start, period_end, parties"
        columns += ", terms_days, subtotal, tax, total, content_hash, drafted_at, approved_hash, allowances, charges"
        columns += ", prepaid, payable_rounding, document_type, cycle_id"
        for kind in ("cycle", "interim"):
            assert guards.refuses(
                f"INSERT INTO cycle_invoice (status, revision, kind, {columns})"  # noqa: S608  fixed text
                f" SELECT 'draft', 0, '{kind}', {columns} FROM cycle_invoice"
            )

    def test_a_deduction_of_what_was_not_issued(self, company: Company, interim: Invoice) -> None:
        line = interim.lines.get()
        statement = "INSERT INTO cycle_deduction (line_id, billed_id) VALUES (%s, %s)"
        assert guards.refuses(statement, [line.pk, line.pk])

    def test_nobody_but_finance_decides_on_it(self, interim: Invoice) -> None:
        with pytest.raises(NotAllowedError):
            billing.approve_by(billing.person("olga", "ops"), interim, at=at(6))


@pytest.mark.parametrize(("name", "planted"), interim_offences.OFFENCES)
def test_an_offence_is_found(company: Company, interim: Invoice, name: str, planted: str) -> None:
    looking.issue(company, interim, at=at(5, 9))
    billing.close_october()
    offended = {one.name for one in check_invariants.all_invariants() if one.find_offenders()}
    assert name not in offended
    tamper(planted)
    offended = {one.name for one in check_invariants.all_invariants() if one.find_offenders()}
    assert name in offended
