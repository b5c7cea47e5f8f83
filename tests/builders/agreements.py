"""Customers, meters, plans and prices for the tests of pricing and rating."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group, User

from accounts.models import Customer
from core.periods import Period
from invoicing.pricing import arrange, plans, prices, subscribe
from invoicing.pricing.models import KeptPrices, Plan, PlanVersion, PriceVersion, Subscription, SubscriptionQuantity
from metering import meters
from metering.models import AggregationSnapshot, EventContract, Meter, Watermark

START = datetime(2026, 1, 1, tzinfo=UTC)
BEFORE = START - timedelta(days=30)


def day(number: float) -> datetime:
    """An instant counted in days of 2026 in UTC: 1 is the first midnight, 32 the first of February."""
    return START + timedelta(days=number - 1)


JANUARY = Period(day(1), day(32))
FEBRUARY = Period(day(32), day(60))


def person(name: str, *roles: str) -> User:
    """Staff with these roles."""
    user, _ = User.objects.get_or_create(username=name, defaults={"is_staff": True})
    user.groups.set([Group.objects.get_or_create(name=role)[0] for role in roles])
    return user


def customer(code: str = "acme", **facts: Any) -> Customer:
    usual = {"legal_name": f"{code.title()} Ltd", "currency": "EUR", "time_zone": "UTC"}
    return Customer.objects.create(code=code, **{**usual, **facts})


def meter(code: str = "tokens") -> Meter:
    owner = person("olaf", "engineering")
    contract, _ = EventContract.objects.get_or_create(
        event_type="usage", defaults={"description": "Use.", "owner": owner}
    )
    return meters.create_meter(
        code=code,
        name=code.title(),
        definition="What was used.",
        unit="token",
        owner=owner,
        contract=contract,
        aggregation="sum",
        value_property="units",
    )


def author() -> User:
    """Who proposes plans and prices."""
    return person("pia", "product")


def approver() -> User:
    """Who approves them."""
    return person("fay", "finance")


def proposed_plan(code: str = "basic", **terms: Any) -> Plan:
    usual = {"name": code.title(), "currency": "EUR", "interval": "month", "proration_unit": "second"}
    return plans.create_plan(code=code, **{"actor": author(), "at": BEFORE, **usual, **terms})


def plan(code: str = "basic", **terms: Any) -> Plan:
    """A plan whose first version is approved."""
    made = proposed_plan(code, **terms)
    plans.approve_version(pk=made.versions.get().pk, actor=approver(), at=BEFORE)
    return made


def set_terms(of: Plan, *, effective_at: datetime, at: datetime = BEFORE, **terms: Any) -> PlanVersion:
    """The next version of a plan, approved."""
    version = plans.propose_version(plan=of, terms=terms, effective_at=effective_at, actor=author(), at=at)
    return plans.approve_version(pk=version.pk, actor=approver(), at=at)


def propose_price(
    of: Plan,
    *,
    meter: Meter | None = None,
    charge: str | None = None,
    model: str = "standard",
    params: Mapping[str, Any] | None = None,
    effective_at: datetime = BEFORE,
    at: datetime = BEFORE,
) -> PriceVersion:
    """0.01 a unit since before anything, unless the facts say otherwise."""
    return prices.propose_plan_price(
        plan=of,
        charge_code=charge,
        meter=meter,
        name=charge and charge.title(),
        model=model,
        params=dict(params or {"unit_amount": "0.01"}),
        effective_at=effective_at,
        actor=author(),
        at=at,
    )


def set_price(of: Plan, *, at: datetime = BEFORE, **facts: Any) -> PriceVersion:
    """The same, approved."""
    return approve(propose_price(of, at=at, **facts), at=at)


def approve(price: PriceVersion, *, at: datetime = BEFORE) -> PriceVersion:
    return prices.approve_price_version(pk=price.pk, actor=approver(), at=at)


def fee(of: Plan, amount: str = "30.00") -> PriceVersion:
    return set_price(of, charge="base", model="flat", params={"amount": amount})


def start(who: Customer, on: Plan, *, since: datetime = START, **terms: Any) -> Subscription:
    return subscribe.start_subscription(customer=who, plan=on, starts_at=since, actor=None, at=BEFORE, **terms)


def seats(subscription: Subscription, quantity: str, *, since: datetime, charge: str = "base") -> SubscriptionQuantity:
    return arrange.set_quantity(
        subscription=subscription,
        charge_code=charge,
        quantity=Decimal(quantity),
        effective_at=since,
        actor=approver(),
        at=BEFORE,
    )


def keep_prices(subscription: Subscription, *, since: datetime, until: datetime) -> KeptPrices:
    return arrange.keep_prices(subscription=subscription, since=since, until=until, actor=approver(), at=since)


def snapshot(who: Customer, of: Meter, *, quantity: str, window: Period = JANUARY) -> AggregationSnapshot:
    """What a meter measured, as metering would store it."""
    return AggregationSnapshot.objects.create(
        customer=who,
        meter=of,
        meter_version=of.versions.get(version=1),
        window_start=window.start,
        window_end=window.end,
        watermark=Watermark.objects.create(seq=0, fixed_at=window.end),
        quantity=Decimal(quantity),
        event_count=1,
        digest="0" * 64,
        taken_at=window.end,
    )
