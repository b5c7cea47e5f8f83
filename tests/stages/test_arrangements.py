"""Seats and kept prices of one subscription: split and prorated at their instants like every other change."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from core import bulk, personal_keys
from core.errors import DomainError, InvalidInputError, NotAllowedError, NotFoundError
from core.models import AuditEntry
from core.periods import Period
from invoicing.pricing import arrange, segments, subscribe
from invoicing.pricing.models import KeptPrices, Plan, Subscription, SubscriptionQuantity
from invoicing.pricing.queries import DuePeriod
from invoicing.pricing.segments import PriceSegment
from invoicing.rating import rate
from invoicing.rating.models import RatedLine
from tests.builders import agreements, guards
from tests.builders.agreements import BEFORE, FEBRUARY, JANUARY, START, day

pytestmark = pytest.mark.django_db


def cut(subscription: Subscription, *periods: Period) -> list[PriceSegment]:
    due = [DuePeriod(subscription.pk, subscription.customer_id, period) for period in periods or (JANUARY,)]
    return segments.price_segments(due)


def rated(subscription: Subscription, *periods: Period) -> list[RatedLine]:
    return rate.rate_segments([(segment, None) for segment in cut(subscription, *periods)], at=day(60))


def by_day(code: str = "basic", fee: str = "31.00") -> Plan:
    plan = agreements.plan(code, proration_unit="day")
    agreements.fee(plan, fee)
    return plan


def test_a_fee_is_charged_for_each_seat_and_split_where_their_number_changes() -> None:
    subscription = agreements.start(agreements.customer(), by_day())
    agreements.seats(subscription, "2", since=day(1))
    agreements.seats(subscription, "5", since=day(11.5))
    lines = rated(subscription)
    assert [(line.quantity, line.share_part, line.amount) for line in lines] == [
        (2, 10, Decimal(20)),  # 1 to 10 January, two seats at 1.00 a day
        (5, 21, Decimal(105)),  # the day of the change is the new number's
    ]
    assert [rate.recompute(line).amount for line in lines] == [Decimal(20), Decimal(105)]
    assert lines[1].computation[0]["label"] == "21 of 31 days"


def test_before_the_first_number_there_is_one() -> None:
    subscription = agreements.start(agreements.customer(), by_day())
    agreements.seats(subscription, "3", since=day(22))
    assert [(each.quantity, each.start, each.end) for each in cut(subscription, JANUARY, FEBRUARY)] == [
        (1, day(1), day(22)),
        (3, day(22), day(32)),
        (3, day(32), day(60)),
    ]


def test_no_seats_cost_nothing_and_still_stand_on_the_bill() -> None:
    subscription = agreements.start(agreements.customer(), by_day())
    agreements.seats(subscription, "0", since=day(1))
    assert [(line.quantity, line.amount) for line in rated(subscription)] == [(0, 0)]


def test_seats_in_tiers_pick_the_tier_by_their_full_number_and_pay_the_share() -> None:
    """30 seats: 10 at 4.00 and 20 at 3.00 are 100.00 a month; 21 of 31 days are 67.74."""
    plan = agreements.plan(proration_unit="day")
    tiers = [{"up_to": "10", "unit_amount": "4"}, {"up_to": None, "unit_amount": "3"}]
    agreements.set_price(plan, charge="seats", model="graduated", params={"tiers": tiers})
    subscription = agreements.start(agreements.customer(), plan)
    agreements.seats(subscription, "0", since=day(1), charge="seats")
    agreements.seats(subscription, "30", since=day(11), charge="seats")
    lines = rated(subscription)
    assert [(line.quantity, line.amount) for line in lines] == [(0, 0), (30, Decimal("67.74"))]
    assert [step["label"] for step in lines[1].computation] == [
        "Tier 1: 0 to 10, 21 of 31 days",
        "Tier 2: above 10, 21 of 31 days",
    ]
    assert [step["quantity"] for step in lines[1].computation] == ["10", "20"]
    again = rate.recompute(RatedLine.objects.get(pk=lines[1].pk))
    assert (again.amount, again.as_json()) == (lines[1].amount, lines[1].computation)


def test_seats_stay_when_the_next_plan_charges_for_them_too() -> None:
    subscription = agreements.start(agreements.customer(), by_day())
    pro = by_day("pro", "62.00")
    agreements.seats(subscription, "2", since=day(1))
    subscribe.change_plan(subscription=subscription, plan=pro, effective_at=day(15), actor=None, at=START)
    assert [(line.quantity, line.amount) for line in rated(subscription)] == [(2, Decimal(28)), (2, Decimal(68))]


def test_of_two_numbers_of_one_instant_the_later_word_counts() -> None:
    subscription = agreements.start(agreements.customer(), by_day())
    agreements.seats(subscription, "2", since=day(1))
    agreements.seats(subscription, "4", since=day(1))
    assert [each.quantity for each in cut(subscription)] == [4]


def test_usage_is_counted_by_its_meter_and_by_nothing_else() -> None:
    plan = agreements.plan()
    agreements.set_price(plan, meter=agreements.meter())
    subscription = agreements.start(agreements.customer(), plan)
    with pytest.raises(arrange.ChargeNotCountedError, match="meters count usage") as refusal:
        agreements.seats(subscription, "2", since=day(1), charge="tokens")
    assert refusal.value.pointer == "/charge"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"quantity": Decimal(-1)}, InvalidInputError),
        ({"quantity": Decimal("1e16")}, InvalidInputError),
        ({"effective_at": day(-20)}, subscribe.NotInForceError),
        ({"charge_code": "other"}, arrange.ChargeNotCountedError),
        ({"actor": None}, NotAllowedError),
    ],
)
def test_a_number_that_cannot_be_meant_is_refused(change: dict[str, Any], error: type[DomainError]) -> None:
    subscription = agreements.start(agreements.customer(), by_day())
    usual = {"charge_code": "base", "quantity": Decimal(1), "effective_at": day(1), "actor": agreements.approver()}
    given: dict[str, Any] = {**usual, **change}
    with pytest.raises(error):
        arrange.set_quantity(subscription=subscription, at=START, **given)
    assert not SubscriptionQuantity.objects.exists()


def test_kept_prices_hold_until_their_end_and_then_the_change_splits() -> None:
    plan = by_day()
    subscription, other = (agreements.start(agreements.customer(code), plan) for code in ("old", "new"))
    later = agreements.set_price(plan, charge="base", model="flat", params={"amount": "62"}, effective_at=day(10))
    agreements.keep_prices(subscription, since=day(5), until=day(21))
    assert [(line.segment_start, line.amount) for line in rated(subscription)] == [
        (day(1), Decimal(20)),
        (day(21), Decimal(22)),
    ]
    assert [line.amount for line in rated(other)] == [Decimal(9), Decimal(44)]
    assert cut(subscription)[1].price_version_id == later.pk


def test_kept_prices_keep_the_terms_of_the_plan_as_well() -> None:
    plan = by_day()
    subscription = agreements.start(agreements.customer(), plan)
    agreements.set_terms(plan, effective_at=day(10), proration_unit="second")
    agreements.keep_prices(subscription, since=day(5), until=day(40))
    found = cut(subscription, JANUARY, FEBRUARY)
    assert [(each.start, each.proration_unit) for each in found] == [
        (day(1), "day"),
        (day(32), "day"),
        (day(40), "second"),
    ]


def test_prices_of_another_plan_are_not_kept() -> None:
    subscription = agreements.start(agreements.customer(), by_day())
    agreements.keep_prices(subscription, since=day(5), until=day(60))
    pro = by_day("pro", "62.00")
    agreements.set_price(pro, charge="base", model="flat", params={"amount": "93"}, effective_at=day(20))
    subscribe.change_plan(subscription=subscription, plan=pro, effective_at=day(15), actor=None, at=START)
    assert [line.amount for line in rated(subscription)] == [Decimal(14), Decimal(10), Decimal(36)]


def test_kept_prices_are_released_early_with_a_reason_and_only_ahead() -> None:
    subscription = agreements.start(agreements.customer(), by_day())
    kept = agreements.keep_prices(subscription, since=day(5), until=day(40))

    def release(ends_at: float, *, at: float, reason: str = "agreed by mail") -> KeptPrices:
        return arrange.release_prices(
            subscription=subscription,
            kept_id=kept.pk,
            ends_at=day(ends_at),
            reason=reason,
            actor=agreements.approver(),
            at=day(at),
        )

    released = release(20, at=10)
    assert (released.ends_at, released.released_because) == (day(20), "agreed by mail")
    entry = AuditEntry.objects.get(action="kept_prices_released")
    said = personal_keys.open_text(entry.facts["reason"])
    assert (entry.subject, said) == (f"subscription:{subscription.pk}", "agreed by mail")
    for elsewhere in (9, 20, 30):  # passed, no change, later than agreed
        with pytest.raises(arrange.PricesKeptError, match="the new end lies ahead"):
            release(elsewhere, at=10)
    with pytest.raises(InvalidInputError, match="Say why"):
        release(15, at=10, reason=" ")
    with pytest.raises(arrange.PricesKeptError, match="ended at 2026-01-20"):
        release(50, at=21)


def test_prices_are_released_by_the_subscription_that_keeps_them() -> None:
    subscription = agreements.start(agreements.customer(), by_day())
    other = agreements.start(agreements.customer("other"), by_day("other"))
    kept = agreements.keep_prices(subscription, since=day(5), until=day(40))
    with pytest.raises(NotFoundError, match="keeps no prices"):
        arrange.release_prices(
            subscription=other, kept_id=kept.pk, ends_at=day(20), reason="x", actor=agreements.approver(), at=day(10)
        )


def test_prices_are_kept_once_at_a_time_from_an_instant_until_a_later_one() -> None:
    subscription = agreements.start(agreements.customer(), by_day())
    agreements.keep_prices(subscription, since=day(5), until=day(40))
    with pytest.raises(arrange.PricesKeptError, match="already"):
        agreements.keep_prices(subscription, since=day(39), until=day(50))
    agreements.keep_prices(subscription, since=day(40), until=day(50))
    with pytest.raises(InvalidInputError):
        agreements.keep_prices(subscription, since=day(60), until=day(60))
    with pytest.raises(subscribe.NotInForceError):
        agreements.keep_prices(subscription, since=BEFORE, until=day(60))
    with pytest.raises(NotAllowedError):
        arrange.keep_prices(
            subscription=subscription, since=day(60), until=day(70), actor=agreements.author(), at=START
        )


def test_what_is_arranged_is_in_the_audit_chain_and_kept_for_ever() -> None:
    subscription = agreements.start(agreements.customer(), by_day())
    agreements.seats(subscription, "2", since=day(1))
    agreements.keep_prices(subscription, since=day(5), until=day(40))
    actions = AuditEntry.objects.filter(subject=f"subscription:{subscription.pk}").order_by("id")
    assert [entry.action for entry in actions] == ["subscription_started", "quantity_set", "prices_kept"]
    assert all(guards.keeps_its_rows(model) for model in (SubscriptionQuantity, KeptPrices))
    assert guards.refuses("UPDATE pricing_subscriptionquantity SET quantity = 9")
    assert guards.refuses("UPDATE pricing_keptprices SET starts_at = starts_at - interval '1 day'")
    assert guards.refuses("UPDATE pricing_keptprices SET ends_at = starts_at")


@pytest.mark.parametrize("value", ["-1", "NaN", "1e16"])
def test_the_database_refuses_numbers_that_nobody_can_mean(value: str) -> None:
    subscription = agreements.start(agreements.customer(), by_day())
    row = SubscriptionQuantity(
        subscription=subscription, charge_code="base", quantity=Decimal(value), effective_at=START, created_at=START
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert_rows([row])
