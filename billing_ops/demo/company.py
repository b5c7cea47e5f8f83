"""Makes the sample company once; whatever stands already is left as it is."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import Group, User
from django.db import transaction

from accounts import keys
from accounts.models import Customer, PortalUser, Scope, Seller
from billing_ops.demo import scenario
from core import postgres_place
from invoicing.policy import propose, sign
from invoicing.policy.models import TriggerPolicy
from invoicing.pricing import plans, prices, shipped_programs, subscribe
from invoicing.pricing.models import Plan, Subscription, TaxRate
from metering import contracts, meters
from metering.models import EventContract, Meter
from metering.rules import drafting

PRICES_SINCE = datetime(2020, 1, 1, tzinfo=UTC)
SETTLED = timedelta(days=2)  # by then the month before has ended in every time zone


@dataclass(frozen=True, slots=True)
class Calendar:
    """The two closed months of the story, by their first local days."""

    before_last: datetime
    last: datetime
    current: datetime

    def local(self, moment: datetime, *, customer: Customer) -> datetime:
        """The same calendar day at midnight, in the customer's zone."""
        return moment.replace(tzinfo=ZoneInfo(customer.time_zone))


@dataclass(frozen=True, slots=True)
class Company:
    """What the story needs at hand."""

    people: dict[str, User]
    customers: dict[str, Customer]
    calendar: Calendar
    password: str
    key: str


def folder() -> Path:
    """Where the demo leaves its PDFs, its key and its password."""
    place = postgres_place.home() / "demo"
    place.mkdir(parents=True, exist_ok=True)
    return place


@transaction.atomic
def set_up(*, at: datetime) -> Company:
    """People, customers, meters, contracts, plans and subscriptions of the sample company."""
    password = _kept_password()
    Seller.objects.get_or_create(code=scenario.SELLER["code"], defaults=scenario.SELLER)
    people = {person.username: _person(person, password=password) for person in scenario.PEOPLE}
    customers = {facts["code"]: _customer(facts) for facts in scenario.CUSTOMERS}
    for customer in customers.values():
        _portal_user(customer, password=password)
    _tax_rate(people["fiona"], at=at)
    _metering(people["erin"], at=at)
    made = {code: _plan(code, author=people["paula"], approver=people["fiona"], at=at) for code in scenario.PLANS}
    shipped_programs.load_programs(actor=people["paula"], at=at)  # they wait for fiona's approval
    _policy(people, at=at)  # its terms name a meter
    calendar = _calendar(at)
    _subscriptions(customers, made, calendar=calendar, actor=people["fiona"], at=at)
    key = _kept_key(people["erin"], at=at)
    return Company(people=people, customers=customers, calendar=calendar, password=password, key=key)


def _kept_password() -> str:
    path = folder() / "password"
    if not path.exists():
        _write_privately(path, secrets.token_urlsafe(9))
    return path.read_text(encoding="ascii")


def _kept_key(user: User, *, at: datetime) -> str:
    """The key of an earlier run while it is good, else a new one."""
    path = folder() / "api-key"
    if not path.exists() or keys.find_key(path.read_text(encoding="ascii")) is None:
        scopes = [str(scope) for scope in (Scope.EVENTS_WRITE, Scope.READ, Scope.WRITE)]
        _write_privately(path, keys.new_key(name="demo", user=user, scopes=scopes, at=at)[1])
    return path.read_text(encoding="ascii")


def _write_privately(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="ascii")


def _person(person: scenario.Person, *, password: str) -> User:
    user, is_new = User.objects.get_or_create(
        username=person.username,
        defaults={
            "first_name": person.first_name,
            "last_name": person.last_name,
            "email": f"{person.username}@lumen.example",
            "is_staff": True,
        },
    )
    if is_new:
        user.set_password(password)
        user.save()
        user.groups.add(Group.objects.get(name=person.role))
    return user


def _customer(facts: dict[str, Any]) -> Customer:
    return Customer.objects.get_or_create(code=facts["code"], defaults=facts)[0]


def _portal_user(customer: Customer, *, password: str) -> None:
    user, is_new = User.objects.get_or_create(
        username=f"{customer.code}-portal", defaults={"email": customer.email, "first_name": customer.legal_name}
    )
    if is_new:
        user.set_password(password)
        user.save()
        PortalUser.objects.create(user=user, customer=customer)


def _tax_rate(actor: User, *, at: datetime) -> None:
    if not TaxRate.objects.filter(code="de-vat").exists():
        prices.add_tax_rate(
            code="de-vat",
            name="VAT",
            category=TaxRate.Category.STANDARD,
            percent=Decimal(19),
            effective_at=datetime(2021, 1, 1, tzinfo=UTC),
            note="",
            actor=actor,
            at=at,
        )


def _policy(people: dict[str, User], *, at: datetime) -> None:
    """Proposed by engineering; product, finance and ops sign the same content."""
    if TriggerPolicy.objects.exists():
        return
    policy = propose.propose_policy(
        program="standard",
        terms=scenario.POLICY,
        effective_at=at,
        reason=scenario.POLICY_REASON,
        actor=people["erin"],
        at=at,
    )
    for role, username in (("product", "paula"), ("finance", "fiona"), ("ops", "olga")):
        sign.sign_policy(
            policy_id=policy.pk, content_hash=policy.content_hash, role=role, actor=people[username], at=at
        )


def _metering(actor: User, *, at: datetime) -> None:
    for facts in scenario.CONTRACTS:
        if not EventContract.objects.filter(event_type=facts["event_type"]).exists():
            _contract(facts, actor=actor, at=at)
    for facts in scenario.METERS:
        if not Meter.objects.filter(code=facts["code"]).exists():
            named = {name: value for name, value in facts.items() if name != "event_type"}
            contract = EventContract.objects.get(event_type=facts["event_type"])
            meters.create_meter(**named, contract=contract, owner=actor)


def _contract(facts: dict[str, Any], *, actor: User, at: datetime) -> None:
    content = {name: value for name, value in facts.items() if name not in ("event_type", "description")}
    contracts.open_contract(
        event_type=facts["event_type"],
        description=facts["description"],
        draft=drafting.ContractDraft(**content),
        is_activated=True,
        actor=actor,
        at=at,
    )


def _plan(code: str, *, author: User, approver: User, at: datetime) -> Plan:
    name, currency, charges = scenario.PLANS[code]
    existing = Plan.objects.filter(code=code).first()
    if existing:
        return existing
    plan = plans.create_plan(code=code, name=name, currency=currency, actor=author, at=at)
    plans.approve_version(pk=plan.versions.get().pk, actor=approver, at=at)
    for charge_code, printed, meter_code, model, params in charges:
        meter = Meter.objects.get(code=meter_code) if meter_code else None
        charge = plans.add_charge(plan=plan, code=charge_code, name=printed, meter=meter)
        price = prices.propose_price_version(
            charge=charge, model=model, params=params, effective_at=PRICES_SINCE, actor=author, at=at
        )
        prices.approve_price_version(pk=price.pk, actor=approver, at=at)
    return plan


def _calendar(at: datetime) -> Calendar:
    """Fixed by the first run: later runs tell the same story and go on from it."""
    first = Subscription.objects.filter(customer__code="initech").first()
    if first:
        before_last = first.starts_at.astimezone(ZoneInfo("Asia/Tokyo")).replace(tzinfo=UTC)
    else:
        before_last = _month_before(_month_before((at - SETTLED).replace(day=1)))
    last = _month_after(before_last)
    return Calendar(before_last=before_last, last=last, current=_month_after(last))


def _month_before(first: datetime) -> datetime:
    return _midnight((first - timedelta(days=1)).replace(day=1))


def _month_after(first: datetime) -> datetime:
    return _midnight((first + timedelta(days=32)).replace(day=1))


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _subscriptions(
    customers: dict[str, Customer], made: dict[str, Plan], *, calendar: Calendar, actor: User, at: datetime
) -> None:
    """Initech since the month before last, the others since last month; Acme outgrows its plan in the middle of it."""
    starts = {
        "initech": (made["scale-jpy"], calendar.before_last),
        "acme": (made["starter"], calendar.last),
        "globex": (made["scale-usd"], calendar.last),
    }
    for code, (plan, month) in starts.items():
        customer = customers[code]
        if customer.subscriptions.exists():
            continue
        started = subscribe.start_subscription(
            customer=customer, plan=plan, starts_at=calendar.local(month, customer=customer), actor=actor, at=at
        )
        if code == "acme":
            change = calendar.local(month, customer=customer) + timedelta(days=11, hours=14)
            subscribe.change_plan(subscription=started, plan=made["scale"], effective_at=change, actor=actor, at=at)
