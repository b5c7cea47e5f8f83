"""What is agreed about a customer in the seconds in which it is drafted: the draft knows it, or is made anew."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from compliance.evidence import trace
from invoicing.cycle import advance, assemble, close, interim, off_cycle, undisturbed
from invoicing.cycle.models import CloseRun, Invoice, InvoiceLine
from invoicing.pricing import arrange, subscribe
from invoicing.pricing.models import Plan, Subscription
from tests.builders import billing, packs, racing, soundness
from tests.builders import off_cycle as interims
from tests.builders.billing import CLOSING, OCTOBER, day
from tests.concurrency.test_edits_during_a_close import FORK

pytestmark = pytest.mark.django_db(transaction=True)
ELEVENTH = datetime(2026, 10, 11, tzinfo=UTC)
LAST_DAYS = datetime(2026, 10, 22, tzinfo=UTC)


@pytest.fixture
def company() -> billing.Company:
    """Acme on a plan with usage, a fee, and a minimum of 310.00 a month."""
    company = billing.open_company()
    with transaction.atomic():
        billing.set_price(
            company.plan, charge="pledge", model="commitment", params={"minimum_amount": "310"}, finance=company.finance
        )
        billing.subscribe_to(company, billing.make_customer("acme"))
        billing.use("acme", ("e1", day(3), 1000), ("e2", day(20), 500))
    return company


def other_plan(company: billing.Company) -> Plan:
    return billing.make_plan("other", finance=company.finance, fee="62", meter=company.meter, unit_amount="0.004")


def while_it_drafts(draft: Callable[[], None], agree: Callable[[], object], *, module: Any, name: str) -> int:
    """Draft on one connection; when it first comes back from this function, another one agrees and commits.

    How often the function was called: twice where the draft was made anew.
    """
    has_read, is_agreed, calls = FORK.Event(), FORK.Event(), FORK.Value("i", 0)

    def draft_it() -> None:
        original: Callable[..., Any] = getattr(module, name)

        def then_wait(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            calls.value += 1
            if calls.value == 1:
                has_read.set()
                assert is_agreed.wait(60)
            return result

        setattr(module, name, then_wait)
        draft()

    def agree_meanwhile() -> None:
        assert has_read.wait(60)
        agree()
        is_agreed.set()

    racing.run_together(draft_it, agree_meanwhile)
    return int(calls.value)


def close_october() -> None:
    report = billing.close_october()
    assert (report.drafted, report.held, report.failed) == (1, 0, [])


def holds(invoice: Invoice, folder: Path) -> None:
    """The walk and the pack, by everything that stands before the draft in the chain."""
    assert trace.trace_invoice(invoice_id=invoice.pk).is_equal
    told = packs.verify_bare(packs.write_pack(packs.make_pack(invoice, at=CLOSING), folder))
    assert (told.code, told.left_out) == (0, []), told.text
    assert soundness.offences() == {}


def test_a_plan_that_changes_while_a_close_drafts_is_billed_and_proved_with_its_plan_lines(
    company: billing.Company, tmp_path: Path
) -> None:
    plan, acme = other_plan(company), Subscription.objects.get()

    def change() -> None:
        subscribe.change_plan(
            subscription=acme, plan=plan, effective_at=ELEVENTH, actor=company.finance, at=CLOSING + timedelta(hours=1)
        )

    assert while_it_drafts(close_october, change, module=assemble.rate, name="rate_segments") == 2
    invoice = Invoice.objects.get()
    pledge = invoice.lines.get(rated_line__charge__code="pledge")
    assert (pledge.rated_line.share_part, pledge.rated_line.share_whole) == (10, 31)
    assert CloseRun.objects.get().drafted == 1
    holds(invoice, tmp_path)


def test_a_chunk_that_was_counted_ahead_of_its_turn_is_counted_again(
    company: billing.Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four chunks of one customer each, side by side; while the first is counted the plans of all of them change."""
    monkeypatch.setattr(close, "CHUNK_PERIODS", 1)
    with transaction.atomic():
        for code in ("bolt", "crane", "drill"):
            billing.subscribe_to(company, billing.make_customer(code))
    plan, everybody = other_plan(company), list(Subscription.objects.all())

    def close_all() -> None:
        report = billing.close_october()
        assert (report.drafted, report.held, report.failed) == (4, 0, [])

    def change() -> None:
        for one in everybody:
            subscribe.change_plan(subscription=one, plan=plan, effective_at=ELEVENTH, actor=company.finance, at=CLOSING)

    assert while_it_drafts(close_all, change, module=assemble.rate, name="rate_segments") > 4
    pledges = InvoiceLine.objects.filter(rated_line__charge__code="pledge")
    assert [line.rated_line.share_part for line in pledges] == [10] * 4
    for invoice in Invoice.objects.all():
        holds(invoice, tmp_path)


def test_an_interim_bill_knows_the_plan_that_came_while_it_was_drafted(
    company: billing.Company, tmp_path: Path
) -> None:
    billing.sign_a_policy(author=company.meter.owner, terms=interims.threshold_terms("1.00"), at=OCTOBER)
    plan, acme = other_plan(company), Subscription.objects.get()

    def draft() -> None:
        report = off_cycle.draft_interims(at=day(15))
        assert (len(report.invoice_ids), report.failed) == (1, [])

    def change() -> None:
        subscribe.change_plan(subscription=acme, plan=plan, effective_at=ELEVENTH, actor=company.finance, at=day(15))

    assert while_it_drafts(draft, change, module=interim.rate, name="rate_so_far") == 2
    invoice = Invoice.objects.get()
    assert [line.segment_start for line in invoice.lines.order_by("segment_start")] == [OCTOBER, ELEVENTH]
    holds(invoice, tmp_path)


def test_an_end_that_is_agreed_between_the_listing_and_the_drafting_ends_the_period_too(
    company: billing.Company, tmp_path: Path
) -> None:
    acme = Subscription.objects.get()

    def end() -> None:
        subscribe.end_subscription(subscription=acme, ends_at=LAST_DAYS, actor=company.finance, at=OCTOBER)

    assert while_it_drafts(close_october, end, module=close.due, name="open_periods") == 1
    invoice = Invoice.objects.get()
    assert (invoice.period_end, invoice.cycle.period_end) == (LAST_DAYS, LAST_DAYS)
    holds(invoice, tmp_path)


def test_prices_that_are_released_while_a_close_drafts_are_not_kept_by_it(
    company: billing.Company, tmp_path: Path
) -> None:
    acme = Subscription.objects.get()
    kept = arrange.keep_prices(subscription=acme, since=OCTOBER, until=CLOSING, actor=company.finance, at=OCTOBER)
    billing.set_price(
        company.plan,
        meter=company.meter,
        model="standard",
        params={"unit_amount": "0.004"},
        finance=company.finance,
        effective_at=ELEVENTH,
    )

    def release() -> None:
        arrange.release_prices(
            subscription=acme, kept_id=kept.pk, ends_at=LAST_DAYS, reason="By mail.", actor=company.finance, at=day(21)
        )

    assert while_it_drafts(close_october, release, module=advance, name="segments_to_bill") == 2
    invoice = Invoice.objects.get()
    starts = InvoiceLine.objects.filter(meter_code="tokens").order_by("segment_start")
    assert list(starts.values_list("segment_start", flat=True)) == [OCTOBER, LAST_DAYS]
    holds(invoice, tmp_path)


def test_prices_kept_while_a_close_drafts_are_of_the_next_one(company: billing.Company, tmp_path: Path) -> None:
    """They are dated after the instant that the close reads as of, so drafting anew changes nothing."""
    acme = Subscription.objects.get()
    billing.set_price(
        company.plan,
        meter=company.meter,
        model="standard",
        params={"unit_amount": "0.004"},
        finance=company.finance,
        effective_at=ELEVENTH,
    )

    def keep() -> None:
        arrange.keep_prices(subscription=acme, since=OCTOBER, until=CLOSING, actor=company.finance, at=OCTOBER)

    assert while_it_drafts(close_october, keep, module=advance, name="segments_to_bill") == 2
    assert Invoice.objects.get().lines.filter(meter_code="tokens").count() == 2
    holds(Invoice.objects.get(), tmp_path)


def test_a_draft_that_is_disturbed_every_time_is_reported_and_the_next_close_makes_it(
    company: billing.Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undisturbed, "mark", lambda: 0)  # as if the subscription had just begun, again and again
    report = billing.close_october()
    assert [(failure.customer, failure.code) for failure in report.failed] == [("acme", "agreements_moved")]
    monkeypatch.undo()
    assert billing.close_october(at=CLOSING + timedelta(hours=1)).drafted == 1
    assert Invoice.objects.get().lines.get(rated_line__charge__code="base").amount == Decimal("49.00")
