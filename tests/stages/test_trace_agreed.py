"""The walk works out from the agreements how much of its period a line is for; what is stored is held against it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from compliance.evidence import story, trace
from compliance.evidence.trace import Trace
from invoicing.cycle.models import Invoice, InvoiceLine
from invoicing.pricing import arrange, prices, subscribe
from invoicing.pricing.models import Charge, KeptPrices, Plan, Subscription
from tests.builders import billing, off_cycle
from tests.builders.billing import CLOSING, NEXT_CLOSING, NOVEMBER, OCTOBER, day
from tests.stages.test_advance_fees import FIRST_CLOSING, MID_OCTOBER, billed_and_issued, plan_in_advance, start
from tests.stages.test_trace import alter

pytestmark = pytest.mark.django_db
ELEVENTH = datetime(2026, 10, 11, tzinfo=UTC)
SOON = FIRST_CLOSING + timedelta(days=1)
LATER = NEXT_CLOSING + timedelta(days=3)
USED = "share of the paid time that was used"


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


def walk(line: InvoiceLine) -> Trace:
    return trace.trace_line(line_id=line.pk)


def alter_rating(line: InvoiceLine, alteration: str) -> None:
    alter(f"UPDATE rating_ratedline SET {alteration} WHERE id = {line.rated_line_id}")  # noqa: S608  words of this file


def differs_at(line: InvoiceLine) -> str:
    difference = walk(line).first_difference
    return "" if difference is None else difference.step


def sentence(line: InvoiceLine, beginning: str) -> str:
    [found] = [each for each in story.tell(walk(line)) if each.startswith(beginning)]
    return found


@pytest.fixture
def returned(company: billing.Company) -> InvoiceLine:
    """31.00 paid in advance for October, of which 14 days were used before another plan followed."""
    subscription = billed_and_issued(company)
    pro = plan_in_advance(company, "pro", "62.00")
    subscribe.change_plan(
        subscription=subscription, plan=pro, effective_at=MID_OCTOBER, actor=company.finance, at=FIRST_CLOSING
    )
    billing.close_october()
    return InvoiceLine.objects.get(adjusts__isnull=False)


def test_what_was_used_of_a_fee_follows_from_the_plans_that_held(returned: InvoiceLine) -> None:
    walked = walk(returned)
    assert walked.is_equal
    assert [(check.claimed, check.found) for check in walked.checks if check.step == USED] == [
        ("14 of 31 days", "14 of 31 days")
    ]
    [piece] = walked.agreed.pieces
    assert (piece.start, piece.end, piece.share.part) == (OCTOBER, MID_OCTOBER, 14)
    assert sentence(returned, "Paid in advance") == (
        "Paid in advance was 1 Oct 2026 to 31 Oct 2026; used of that was 14 of 31 days: 1 Oct 2026 to 14 Oct 2026"
        " on the plan Basic by version 1 of its terms, at price version 1."
    )


def test_a_share_that_does_not_follow_is_found_although_every_amount_is_its_own(returned: InvoiceLine) -> None:
    """20 days in place of 14, with the amounts that 20 days give."""
    alter_rating(returned, "share_part = 20")
    assert differs_at(returned) == USED
    computation = (
        '[{"label": "20 of 31 days", "quantity": "1", "unit_price": "31", "flat_fee": "0", "amount": "20",'
        ' "units_to": null, "units_from": null}]'
    )
    alter_rating(returned, f"amount_exact = 20, amount = 20, computation = '{computation}'")
    alter("UPDATE cycle_invoiceline SET amount = -11 WHERE adjusts_id IS NOT NULL")
    walked = walk(returned)
    assert walked.first_difference is not None
    assert (walked.first_difference.claimed, walked.first_difference.found) == ("20 of 31 days", "14 of 31 days")
    assert [check.step for check in walked.checks if not check.is_equal] == [
        USED,
        "computation",
        "amount before its rounding",
        "amount",
    ]


def test_what_is_agreed_after_a_correction_does_not_disturb_it(company: billing.Company, returned: InvoiceLine) -> None:
    subscription = returned.rated_line.subscription
    subscribe.end_subscription(subscription=subscription, ends_at=day(20), actor=company.finance, at=day(16))
    assert walk(returned).is_equal
    assert walk(returned.invoice.lines.get(position=1)).is_equal


def test_nothing_is_used_of_a_fee_where_the_subscription_ended_before_its_time(company: billing.Company) -> None:
    subscription = start(company, since=OCTOBER)
    billing.close_october()
    billing.issue(company, [Invoice.objects.get()])
    second = billing.subscribe_to(company, subscription.customer, since=NOVEMBER)
    subscribe.end_subscription(subscription=subscription, ends_at=NOVEMBER, actor=company.finance, at=OCTOBER)
    billing.close_november()
    [given] = InvoiceLine.objects.filter(adjusts__isnull=False)
    assert given.invoice.cycle.subscription == second
    assert (given.amount, walk(given).is_equal) == (Decimal(-31), True)
    assert walk(given).agreed.share.counted == "0 of 30 days"
    assert sentence(given, "Paid in advance").endswith(
        "nothing of that was used: the subscription had ended, or another plan or price held."
    )


def test_a_price_that_followed_ends_what_was_used_and_one_approved_later_does_not(company: billing.Company) -> None:
    plan = billed_and_issued(company).phases.get().plan
    repriced(plan, "62.00", since=MID_OCTOBER, company=company)
    billing.close_october()
    returned = InvoiceLine.objects.get(adjusts__isnull=False)
    assert walk(returned).agreed.share.part == 14
    assert walk(returned).is_equal
    assert "It ends there" not in " ".join(story.tell(walk(returned)))
    repriced(plan, "93.00", since=day(20), company=company, at=LATER)
    assert walk(returned).is_equal
    assert all(walk(line).is_equal for line in returned.invoice.lines.all())


def repriced(plan: Plan, amount: str, *, since: datetime, company: billing.Company, at: datetime = SOON) -> None:
    price = prices.propose_plan_price(
        plan=plan,
        charge_code="base",
        meter=None,
        name=None,
        model="flat",
        params={"amount": amount, "billed": "in_advance"},
        effective_at=since,
        actor=company.finance,
        at=at,
    )
    prices.approve_price_version(pk=price.pk, actor=company.other_finance, at=at)


@pytest.mark.parametrize(
    ("alteration", "step"),
    [
        ("share_part = 17", "share of its period"),
        ("share_whole = 60", "share of its period"),
        ("segment_end = '2026-11-20Z'", "time under this plan and price"),
        ("quantity = 2", "number agreed"),
    ],
)
def test_a_part_of_a_period_follows_from_the_plans_too(company: billing.Company, alteration: str, step: str) -> None:
    """Half of November, that the subscription has still to run: billed in advance, and never corrected."""
    subscription = start(company, since=OCTOBER)
    end = datetime(2026, 11, 16, tzinfo=UTC)
    subscribe.end_subscription(subscription=subscription, ends_at=end, actor=company.finance, at=OCTOBER)
    billing.close_october()
    line = Invoice.objects.get().lines.get(segment_start=NOVEMBER)
    assert (walk(line).is_equal, walk(line).agreed.share.counted) == (True, "15 of 30 days")
    alter_rating(line, alteration)
    assert differs_at(line) == step


def test_seats_are_those_that_were_agreed(company: billing.Company) -> None:
    subscription = billing.subscribe_to(company, billing.make_customer("acme"))
    for count, since in (("3", OCTOBER), ("5", ELEVENTH)):
        agree_seats(subscription, count, since=since)
    billing.close_october()
    lines = list(Invoice.objects.get().lines.filter(meter_code="").order_by("segment_start"))
    assert [(walk(line).agreed.quantity, walk(line).agreed.share.counted) for line in lines] == [
        (Decimal(3), "10 of 31 days"),
        (Decimal(5), "21 of 31 days"),
    ]
    agree_seats(subscription, "9", since=ELEVENTH, at=LATER)
    assert all(walk(line).is_equal for line in lines)


def agree_seats(subscription: Subscription, count: str, *, since: datetime, at: datetime = OCTOBER) -> None:
    arrange.set_quantity(
        subscription=subscription,
        charge_code="base",
        quantity=Decimal(count),
        effective_at=since,
        actor=billing.approver(),
        at=at,
    )


def test_prices_that_were_kept_are_told_as_they_were_kept_then(company: billing.Company) -> None:
    """Kept until Christmas when November was billed in advance; released for the middle of November since."""
    subscription = start(company, since=OCTOBER)
    plan = subscription.phases.get().plan
    kept = arrange.keep_prices(
        subscription=subscription,
        since=OCTOBER,
        until=datetime(2026, 12, 25, tzinfo=UTC),
        actor=billing.approver(),
        at=OCTOBER,
    )
    repriced(plan, "62.00", since=NOVEMBER, company=company)
    billing.close_october()
    billing.issue(company, [Invoice.objects.get()])
    november = InvoiceLine.objects.get(segment_start=NOVEMBER)
    assert (november.amount, walk(november).is_equal) == (Decimal(31), True)
    release(kept, ends_at=datetime(2026, 11, 16, tzinfo=UTC))
    assert walk(november).is_equal
    billing.close_november()
    returned = InvoiceLine.objects.get(adjusts=november)
    assert (returned.amount, walk(returned).agreed.share.counted) == (Decimal("-15.50"), "15 of 30 days")
    assert walk(returned).is_equal
    assert all(walk(line).is_equal for line in returned.invoice.lines.all())


def release(kept: KeptPrices, *, ends_at: datetime) -> None:
    arrange.release_prices(
        subscription=kept.subscription,
        kept_id=kept.pk,
        ends_at=ends_at,
        reason="Agreed by mail.",
        actor=billing.approver(),
        at=CLOSING + timedelta(days=3),
    )


def test_what_a_price_includes_for_a_part_of_a_period_is_divided_by_time(company: billing.Company) -> None:
    billing.set_price(
        company.plan,
        meter=company.meter,
        model="standard",
        params={"unit_amount": "0.002", "included_quantity": "310"},
        finance=company.finance,
        effective_at=ELEVENTH,
    )
    invoice = billing.billed_customer(company)
    line = invoice.lines.get(meter_code="tokens", segment_start=ELEVENTH)
    assert walk(line).is_equal
    assert walk(line).agreed.share.counted == "21 of 31 days"
    assert sentence(line, "What its price includes").startswith(
        "What its price includes or limits is divided by time: it is for 21 of 31 days"
    )
    alter_rating(line, "share_part = 22")
    assert differs_at(line) == "share of its period"


def test_a_minimum_of_a_plan_is_for_the_time_that_the_plan_held(company: billing.Company) -> None:
    billing.set_price(
        company.plan, charge="pledge", model="commitment", params={"minimum_amount": "310"}, finance=company.finance
    )
    subscription = billing.subscribe_to(company, billing.make_customer("acme"))
    other = billing.make_plan("other", finance=company.finance, fee="1", meter=None)
    subscribe.change_plan(
        subscription=subscription, plan=other, effective_at=ELEVENTH, actor=company.finance, at=OCTOBER
    )
    billing.close_october()
    line = InvoiceLine.objects.get(rated_line__charge__code="pledge")
    assert (walk(line).is_equal, walk(line).agreed.share.counted) == (True, "10 of 31 days")
    alter_rating(line, "share_part = 11")
    assert differs_at(line) == "share of its period"


def test_an_interim_line_is_for_its_whole_segment(company: billing.Company) -> None:
    """What its price includes is that of the whole period, though it bills the first days of it only."""
    billing.set_price(
        company.plan,
        meter=company.meter,
        model="standard",
        params={"unit_amount": "1", "included_quantity": "310"},
        finance=company.finance,
        effective_at=ELEVENTH,
    )
    billing.sign_a_policy(author=company.meter.owner, terms=off_cycle.threshold_terms("10.00"), at=OCTOBER)
    billing.subscribe_to(company, billing.make_customer("acme"))
    billing.use("acme", ("e1", day(12), 1000), at=day(13))
    [interim] = off_cycle.look(day(14))
    line = interim.lines.get(segment_start=ELEVENTH)
    assert (walk(line).is_equal, walk(line).agreed.share.counted) == (True, "21 of 31 days")
    assert line.amount == Decimal(790)
    alter_rating(line, "share_part = 4")
    assert differs_at(line) == "share of its period"


def test_instants_are_compared_and_not_how_they_are_written(company: billing.Company) -> None:
    """A customer in Berlin, whose plan changes at a time that was given with its offset."""
    customer = billing.make_customer("acme", time_zone="Europe/Berlin")
    since = datetime.fromisoformat("2026-10-01T00:00:00+02:00")
    subscription = billing.subscribe_to(company, customer, since=since)
    other = billing.make_plan("other", finance=company.finance, fee="1", meter=company.meter)
    subscribe.change_plan(
        subscription=subscription,
        plan=other,
        effective_at=datetime.fromisoformat("2026-10-12T14:00:00+02:00"),
        actor=company.finance,
        at=OCTOBER,
    )
    billing.use("acme", ("e1", day(3), 1000), ("e2", day(20), 500))
    billing.close_october()
    lines = list(Invoice.objects.get().lines.all())
    assert len(lines) == 4
    assert [walk(line).first_difference for line in lines] == [None] * 4
    assert sentence(lines[0], "It is for").startswith("It is for 11 of 31 days: from 1 Oct 2026 00:00 until 12 Oct")


def test_a_price_approved_while_an_interim_run_lasts_is_of_the_next_one(company: billing.Company) -> None:
    """The run was asked for at noon and came to this customer later; a price of all October was approved between."""
    billing.sign_a_policy(author=company.meter.owner, terms=off_cycle.threshold_terms("1.00"), at=OCTOBER)
    billing.subscribe_to(company, billing.make_customer("acme"))
    billing.use("acme", ("e1", day(3), 1000), at=day(4))
    dearer = prices.propose_price_version(
        charge=Charge.objects.get(meter=company.meter),
        model="standard",
        params={"unit_amount": "0.009"},
        effective_at=OCTOBER,
        actor=company.finance,
        at=OCTOBER,
    )
    prices.approve_price_version(pk=dearer.pk, actor=company.other_finance, at=day(5) + timedelta(seconds=1))
    [interim] = off_cycle.look(day(5))
    [line] = interim.lines.all()
    assert line.amount == Decimal(2)
    assert walk(line).is_equal
