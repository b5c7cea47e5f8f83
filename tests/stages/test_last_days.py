"""The last day of a subscription, where the period was begun before its end was agreed, or the end moves.

An interim invoice, or a draft that was discarded since, fixes the billed period; an end that is agreed afterwards lies
inside it. October has 31 days: a fee of 31.00 is 1.00 a day. Noon of the 20th is 19.5 days from its beginning, and the
20th is charged in full wherever a fee is divided by days.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from compliance.evidence import trace
from invoicing.cycle import close
from invoicing.cycle.models import Invoice, InvoiceLine
from invoicing.pricing import plans, subscribe
from invoicing.pricing.models import Plan, Subscription
from tests.builders import billing, off_cycle, pack_changes, packs, soundness
from tests.builders.billing import CLOSING, LONG_AGO, NEXT_CLOSING, NOVEMBER, OCTOBER, Company, day

pytestmark = pytest.mark.django_db

SEPTEMBER = datetime(2026, 9, 1, tzinfo=UTC)
BEGINNINGS = ["interim", "discarded"]


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Company]:
    """Invoices inside the period from 1.00 EUR of usage on; in the end all lines are proved and all invariants hold."""
    company = billing.open_company()
    off_cycle.sign(off_cycle.threshold_terms("1.00"), since=LONG_AGO + timedelta(days=1))
    yield company
    for invoice in Invoice.objects.exclude(status="discarded"):
        assert trace.trace_invoice(invoice_id=invoice.pk).is_equal, invoice
        assert pack_changes.found(packs.write_pack(packs.make_pack(invoice, at=NEXT_CLOSING), tmp_path)) is None
    assert soundness.offences() == {}


def make_plan(company: Company, *, unit: str = "day", amount: str = "31.00", **params: str) -> Plan:
    """A fee a month, divided by `unit`, and 0.002 per token."""
    plan = plans.create_plan(
        code="fees", name="Fees", currency="EUR", proration_unit=unit, actor=company.finance, at=LONG_AGO
    )
    plans.approve_version(pk=plan.versions.get().pk, actor=billing.approver(), at=LONG_AGO)
    fee = {"amount": amount, **params}
    billing.set_price(plan, charge="base", model="flat", params=fee, finance=company.finance)
    tokens = {"unit_amount": "0.002"}
    billing.set_price(plan, meter=company.meter, model="standard", params=tokens, finance=company.finance)
    return plan


def start(
    company: Company, plan: Plan, *, zone: str = "UTC", since: datetime = OCTOBER, ends_at: datetime | None = None
) -> Subscription:
    subscription = billing.subscribe_to(company, billing.make_customer("acme", time_zone=zone), plan=plan, since=since)
    if ends_at is not None:
        end(company, subscription, ends_at=ends_at, at=since)
    return subscription


def end(company: Company, subscription: Subscription, *, ends_at: datetime, at: datetime) -> None:
    subscribe.end_subscription(subscription=subscription, ends_at=ends_at, actor=company.finance, at=at)


def begin(company: Company, how: str) -> None:
    """By the 6th an invoice inside October was issued, over 1,000 tokens, or a draft of all October was discarded."""
    billing.use("acme", ("e1", day(3), 1000), at=day(4))
    if how == "interim":
        [interim] = off_cycle.look(day(5))
        assert off_cycle.lines_of(interim) == [("Tokens", "1000", "2.00")]
        off_cycle.issue(company, interim, at=day(6))
    else:
        close.close_cycles(as_of=NOVEMBER, at=day(5))
        billing.discard_draft(company, Invoice.objects.get(cycle__period_start__gte=OCTOBER), at=day(6))


def tokens(how: str) -> str:
    """What 1,000 tokens still come to: an invoice inside the period has billed them, or has not."""
    return "0.00" if how == "interim" else "2.00"


def amounts(**which: object) -> list[tuple[str, str]]:
    """Fee by fee and meter by meter, as the live invoices of whole periods bill them."""
    lines = InvoiceLine.objects.filter(invoice__kind="cycle", **which).exclude(invoice__status="discarded")
    return [(line.description, f"{line.amount:.2f}") for line in lines.order_by("invoice", "position")]


@pytest.mark.parametrize("how", BEGINNINGS)
@pytest.mark.parametrize(
    ("unit", "amount", "due"),
    [
        ("day", "31.00", "20.00"),  # 20 of 31 days
        ("day30", "30.00", "20.00"),  # 20 of 30 days
        ("second", "31.00", "19.50"),  # 19.5 of 31 days
    ],
)
def test_an_end_that_is_agreed_in_a_period_that_was_begun(
    company: Company, how: str, unit: str, amount: str, due: str
) -> None:
    subscription = start(company, make_plan(company, unit=unit, amount=amount))
    begin(company, how)
    end(company, subscription, ends_at=day(20), at=day(12))
    billing.close_october()
    assert amounts() == [("Base", due), ("Tokens", tokens(how))]
    assert Invoice.objects.exclude(status="discarded").get(kind="cycle").period_end == NOVEMBER


def test_the_day_is_that_of_the_customers_zone(company: Company) -> None:
    """21 October 05:00 UTC is the 20th, 22:00, in Los Angeles: of its October 20 days."""
    start_of_october = datetime(2026, 10, 1, 7, tzinfo=UTC)
    subscription = start(company, make_plan(company), zone="America/Los_Angeles", since=start_of_october)
    begin(company, "interim")
    end(company, subscription, ends_at=datetime(2026, 10, 21, 5, tzinfo=UTC), at=day(12))
    close.close_cycles(as_of=CLOSING, at=CLOSING)
    assert amounts() == [("Base", "20.00"), ("Tokens", "0.00")]


def test_an_end_at_midnight_opens_no_other_day(company: Company) -> None:
    subscription = start(company, make_plan(company))
    begin(company, "discarded")
    end(company, subscription, ends_at=datetime(2026, 10, 21, tzinfo=UTC), at=day(12))
    billing.close_october()
    assert amounts() == [("Base", "20.00"), ("Tokens", "2.00")]


def test_the_day_of_a_change_of_plan_before_the_end_is_of_the_new_plan(company: Company) -> None:
    """Noon of the 10th: 9 days of the old fee, 11 of the new one, 62.00 a month, up to the 20th."""
    subscription = start(company, make_plan(company))
    begin(company, "interim")
    pro = billing.make_plan("pro", finance=company.finance, fee="62.00", meter=company.meter, unit_amount="0.002")
    subscribe.change_plan(subscription=subscription, plan=pro, effective_at=day(10), actor=company.finance, at=day(8))
    end(company, subscription, ends_at=day(20), at=day(12))
    billing.close_october()
    assert amounts() == [("Base", "9.00"), ("Tokens", "0.00"), ("Base", "22.00"), ("Tokens", "0.00")]


@pytest.mark.parametrize("how", BEGINNINGS)
def test_what_is_included_and_what_is_pledged_have_the_same_days(company: Company, how: str) -> None:
    """Of 620 included calls 400: 100 of 500 cost 1.00. Of 62.00 pledged 40.00: less 20.00, 2.00 and 1.00 is 17.00."""
    plan = make_plan(company)
    calls = billing.make_meter("calls", event_type="call", owner=company.meter.owner)
    included = {"unit_amount": "0.01", "included_quantity": "620"}
    billing.set_price(plan, meter=calls, model="standard", params=included, finance=company.finance)
    pledge = {"minimum_amount": "62.00"}
    billing.set_price(plan, charge="pledge", model="commitment", params=pledge, finance=company.finance)
    subscription = start(company, plan)
    begin_with_calls(company, how)
    end(company, subscription, ends_at=day(20), at=day(12))
    billing.close_october()
    assert amounts() == [("Base", "20.00"), ("Tokens", tokens(how)), ("Calls", "1.00"), ("Pledge", "17.00")]


def begin_with_calls(company: Company, how: str) -> None:
    billing.use("acme", ("c1", day(3), 500), event_type="call", at=day(4))
    billing.use("acme", ("e1", day(3), 1000), at=day(4))
    if how == "interim":
        [interim] = off_cycle.look(day(5))
        assert off_cycle.lines_of(interim) == [("Tokens", "1000", "2.00"), ("Calls", "500", "0.00")]
        off_cycle.issue(company, interim, at=day(6))
    else:
        close.close_cycles(as_of=NOVEMBER, at=day(5))
        billing.discard_draft(company, Invoice.objects.get(), at=day(6))


@pytest.mark.parametrize("how", BEGINNINGS)
def test_an_end_that_moves_to_an_earlier_one(company: Company, how: str) -> None:
    """The period was begun until the 25th, and is over on the 20th."""
    subscription = start(company, make_plan(company), ends_at=day(25))
    begin(company, how)
    end(company, subscription, ends_at=day(20), at=day(12))
    billing.close_october()
    assert amounts() == [("Base", "20.00"), ("Tokens", tokens(how))]


@pytest.mark.parametrize("how", BEGINNINGS)
@pytest.mark.parametrize(
    ("unit", "amount", "first", "rest"),
    [
        ("day", "31.00", "19.00", "6.00"),  # to the 19th; 20th to 25th
        ("day30", "30.00", "19.00", "6.00"),
        ("second", "31.00", "19.50", "5.00"),
    ],
)
def test_an_end_that_moves_to_a_later_one(
    company: Company, how: str, unit: str, amount: str, first: str, rest: str
) -> None:
    """The period that was begun is over at noon of the 20th: that day belongs to the rest, and is billed once."""
    subscription = start(company, make_plan(company, unit=unit, amount=amount), ends_at=day(20))
    begin(company, how)
    end(company, subscription, ends_at=day(25), at=day(12))
    billing.close_october()
    assert amounts(segment_start=OCTOBER) == [("Base", first), ("Tokens", tokens(how))]
    assert amounts(segment_start=day(20)) == [("Base", rest), ("Tokens", "0.00")]


def test_an_end_that_moves_beyond_its_month(company: Company) -> None:
    """Noon of the 20th, then noon of 10 November: 19 and 12 of 31 days, and 10 of 30."""
    subscription = start(company, make_plan(company), ends_at=day(20))
    begin(company, "discarded")
    end(company, subscription, ends_at=day(10, month=11), at=day(12))
    billing.close_november()
    fees = InvoiceLine.objects.filter(rated_line__charge__code="base").exclude(invoice__status="discarded")
    found = [(line.segment_start, f"{line.amount:.2f}") for line in fees.order_by("segment_start")]
    assert found == [(OCTOBER, "19.00"), (day(20), "12.00"), (NOVEMBER, "10.33")]


def test_an_end_before_what_an_interim_invoice_billed(company: Company) -> None:
    """6.00 was billed until the 15th; of that 2.00 lie before the end at noon of the 10th: 10 days, and 4.00 back."""
    subscription = start(company, make_plan(company))
    billing.use("acme", ("e1", day(3), 1000), ("e2", day(12), 2000), at=day(14))
    [interim] = off_cycle.look(day(15))
    off_cycle.issue(company, interim, at=day(16))
    end(company, subscription, ends_at=day(10), at=day(17))
    billing.close_october()
    assert amounts() == [("Base", "10.00"), ("Tokens", "-4.00")]
    [whole] = Invoice.objects.filter(kind="cycle")
    taken_off = whole.lines.get(meter_code="tokens").deductions.get()
    assert (taken_off.billed.invoice.number, f"{taken_off.billed.amount:.2f}") == ("INV-000001", "6.00")
    [named] = whole.breaks.all()  # the tokens of the 12th have no price any more
    assert (whole.status, named.name) == ("held", "usage_without_price")


@pytest.mark.parametrize("how", BEGINNINGS)
def test_a_fee_in_advance_of_the_first_period(company: Company, how: str) -> None:
    """Billed with its own period, for nobody billed it before."""
    subscription = start(company, make_plan(company, billed="in_advance"))
    begin(company, how)
    end(company, subscription, ends_at=day(20), at=day(12))
    billing.close_october()
    assert amounts() == [("Base", "20.00"), ("Tokens", tokens(how))]


def start_in_september(company: Company, *, unit: str, ends_at: datetime | None = None) -> Subscription:
    """October is paid in advance, by the invoice of September; by months of 30 days September's fee is the same."""
    subscription = start(company, make_plan(company, unit=unit, billed="in_advance"), since=SEPTEMBER, ends_at=ends_at)
    at = OCTOBER + timedelta(hours=8)
    close.close_cycles(as_of=OCTOBER, at=at)
    billing.issue(company, list(Invoice.objects.all()), at=at)
    return subscription


@pytest.mark.parametrize("how", BEGINNINGS)
@pytest.mark.parametrize(("unit", "back"), [("day", "-11.00"), ("day30", "-10.33"), ("second", "-11.50")])
def test_a_fee_that_was_paid_in_advance(company: Company, how: str, unit: str, back: str) -> None:
    """31.00 were paid: for 20 of 31 days 20.00 are due, for 20 of 30 days 20.67, for 19.5 of 31 days 19.50."""
    subscription = start_in_september(company, unit=unit)
    begin(company, how)
    end(company, subscription, ends_at=day(20), at=day(12))
    billing.close_october()
    assert amounts(invoice__period_start=OCTOBER) == [
        ("Tokens", tokens(how)),
        ("Unused time of 2026-10-01 to 2026-10-31: Base", back),
    ]


@pytest.mark.parametrize("how", ["", *BEGINNINGS])
def test_a_fee_that_was_paid_in_advance_up_to_an_end_that_moves_to_a_later_one(company: Company, how: str) -> None:
    """20 days were paid; noon of the 20th begins 6 days more, and the 20th is given back to be billed once."""
    subscription = start_in_september(company, unit="day", ends_at=day(20))
    if how:
        begin(company, how)
    end(company, subscription, ends_at=day(25), at=day(12))
    billing.close_october()
    found = [line for line in amounts(invoice__period_start__gte=OCTOBER) if line[0] != "Tokens"]
    assert sorted(found) == [("Base", "6.00"), ("Unused time of 2026-10-01 to 2026-10-20: Base", "-1.00")]
    paid = InvoiceLine.objects.filter(rated_line__charge__code="base", rated_line__segment_start__gte=OCTOBER)
    assert sum(line.amount for line in paid.exclude(invoice__status="discarded")) == Decimal(25)
    [given_back] = InvoiceLine.objects.exclude(invoice__status="discarded").filter(adjusts__isnull=False)
    assert given_back.adjusts is not None
    assert given_back.adjusts.invoice.number == "INV-000001"


def test_by_second_nothing_is_given_back_where_the_end_moves_to_a_later_one(company: Company) -> None:
    subscription = start_in_september(company, unit="second", ends_at=day(20))
    end(company, subscription, ends_at=day(25), at=day(12))
    billing.close_october()
    assert amounts(invoice__period_start=OCTOBER, rated_line__charge__code="base") == [("Base", "5.00")]


def test_what_was_used_is_counted_in_the_unit_that_was_paid_by(company: Company) -> None:
    """30.00 were paid for November by the day. By second from the 16th on, agreed since, is for later bills."""
    subscription = start(company, make_plan(company, amount="30.00", billed="in_advance"))
    billing.close_october()
    billing.issue(company, list(Invoice.objects.all()))
    plan = subscription.phases.get().plan
    by_second = plans.propose_version(
        plan=plan,
        terms={"proration_unit": "second"},
        effective_at=datetime(2026, 11, 16, tzinfo=UTC),
        actor=company.finance,
        at=day(3, month=11),
    )
    plans.approve_version(pk=by_second.pk, actor=billing.approver(), at=day(3, month=11))
    end(company, subscription, ends_at=day(20, month=11), at=day(4, month=11))
    billing.close_november()
    unused = "Unused time of 2026-11-01 to 2026-11-30: Base"
    assert (unused, "-10.00") in amounts(invoice__period_start=NOVEMBER)  # 20 of 30 days
