"""Bills a mock customer through the stages themselves; only ever called in a database that was made for a drill."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group, User
from django.db import connection

from accounts.models import Customer, Seller
from accounts.roles import Role
from compliance.disputes.models import DisputePolicy
from core.errors import DomainError
from invoicing.cycle import approve, close, credit_note, delta_decide, finalize
from invoicing.cycle.models import Invoice
from invoicing.policy import propose, sign
from invoicing.pricing import plans, prices, subscribe
from invoicing.pricing.models import Plan
from metering import contracts, ingest, meters
from metering.rules.drafting import ContractDraft

PREFIX = "billing_ops_drill_"
EVENT_TYPE = "drill.used"
AGREED = timedelta(days=400)  # before now: so long ago everything was agreed


class NotADrillError(DomainError):
    """A drill breaks things on purpose, and must never do so anywhere else."""

    code = "not_a_drill"


@dataclass(frozen=True, slots=True)
class People:
    """Mock staff: nobody decides alone."""

    product: User
    finance: User
    other_finance: User
    ops: User
    engineer: User


@dataclass(frozen=True, slots=True)
class Mock:
    """The mock company, its people, and the month that is billed."""

    people: People
    plan: Plan
    start: datetime
    end: datetime


def require_drill() -> None:
    """NotADrillError unless this database was made for a drill."""
    name = str(connection.settings_dict["NAME"])
    if not name.startswith(PREFIX):
        raise NotADrillError(f"{name} was not made for a drill, and a drill breaks what it finds.")


def furnish(*, policy: dict[str, Any], at: datetime) -> Mock:
    """People, a meter, a plan at 49.00 a month and 0.002 per unit; `policy` is the live dispute policy's terms."""
    require_drill()
    Group.objects.bulk_create((Group(name=role) for role in Role), ignore_conflicts=True)
    if not DisputePolicy.objects.exists():
        DisputePolicy.objects.create(version=1, reason="As the live one.", **policy)
    people, agreed = _people(), at - AGREED
    seller = {"legal_name": "Mock Seller GmbH", "address": "Testweg 1\n10115 Berlin", "country": "DE"}
    Seller.objects.create(code="mock", tax_id="DE811193231", bank_details="IBAN DE02 1203 0000 0000 2020 51", **seller)
    signed = propose.propose_policy(
        program="standard", terms={}, effective_at=agreed, reason="drill", actor=people.engineer, at=agreed
    )
    for role, person in (("product", people.product), ("finance", people.finance), ("ops", people.ops)):
        sign.sign_policy(policy_id=signed.pk, content_hash=signed.content_hash, role=role, actor=person, at=agreed)
    end = at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return Mock(people, _plan(people, at=agreed), (end - timedelta(days=1)).replace(day=1), end)


def bill(mock: Mock, code: str, *, at: datetime) -> Invoice:
    """A mock customer with 1,500 units in the month that ended: 49.00 and 3.00, issued."""
    require_drill()
    customer = Customer.objects.create(
        code=code, legal_name=f"Mock {code.title()} GmbH", currency="EUR", country="DE", time_zone="UTC"
    )
    subscribe.start_subscription(
        customer=customer, plan=mock.plan, starts_at=mock.start, actor=mock.people.finance, at=mock.start
    )
    _use(mock, code, at=at)
    close.close_cycles(as_of=mock.end, at=at, customer_codes=[code])
    return issue(mock, Invoice.objects.get(customer=customer), at=at)


def issue(mock: Mock, draft: Invoice, *, at: datetime) -> Invoice:
    """Approved by a second person in finance, with its delta reports, and finalized."""
    person = mock.people.other_finance
    for report in draft.delta_reports.filter(status="proposed"):
        delta_decide.approve_report(
            report_id=report.pk, content_hash=report.content_hash, reason="drill", actor=person, at=at
        )
    approve.approve_invoice(invoice_id=draft.pk, content_hash=draft.content_hash, actor=person, at=at)
    return finalize.finalize_invoice(invoice_id=draft.pk, actor=person, at=at)


def _people() -> People:
    roles = {"product": "product", "finance": "finance", "felix": "finance", "ops": "ops", "engineer": "engineering"}
    made = []
    for name, role in roles.items():
        user = User.objects.create(username=f"mock-{name}", is_staff=True)
        user.groups.set(Group.objects.filter(name=role))
        made.append(user)
    return People(*made)


def _plan(people: People, *, at: datetime) -> Plan:
    draft = ContractDraft(
        schema={"type": "object", "properties": {"units": {"type": "number"}}, "required": ["units"]},
        billing_fields=["units"],
        valid_examples=[{"units": 1}],
        invalid_examples=[{"data": {"units": "many"}, "code": "schema_type", "pointer": "/data/units"}],
        accepts_past_days=365,
    )
    contract = contracts.open_contract(
        event_type=EVENT_TYPE, description="Drill.", draft=draft, is_activated=True, actor=people.engineer, at=at
    )
    meter = meters.create_meter(
        code="units",
        name="Units",
        definition="Units of use.",
        exclusions="",
        unit="unit",
        contract=contract,
        aggregation="sum",
        value_property="units",
        owner=people.engineer,
    )
    plan = plans.create_plan(
        code="mock", name="Mock", currency="EUR", proration_unit="day", actor=people.product, at=at
    )
    plans.approve_version(pk=plan.versions.get().pk, actor=people.finance, at=at)
    agreed: tuple[dict[str, Any], ...] = (
        {"charge_code": "base", "meter": None, "name": "Base", "model": "flat", "params": {"amount": "49"}},
        {"charge_code": None, "meter": meter, "name": None, "model": "standard", "params": {"unit_amount": "0.002"}},
    )
    for price in agreed:
        made = prices.propose_plan_price(plan=plan, effective_at=at, actor=people.product, at=at, **price)
        prices.approve_price_version(pk=made.pk, actor=people.finance, at=at)
    return plan


def _use(mock: Mock, code: str, *, at: datetime) -> None:
    """1,000 units on the 3rd and 500 on the 20th, at noon."""
    events = [
        {
            "specversion": "1.0",
            "source": f"/drill/{code}",
            "id": f"{code}-{day}",
            "type": EVENT_TYPE,
            "subject": code,
            "time": (mock.start + timedelta(days=day - 1, hours=12)).isoformat(),
            "data": {"units": units},
        }
        for day, units in ((3, 1000), (20, 500))
    ]
    result = ingest.capture_events(events, channel="http", origin="drill", at=at)
    if result.accepted != len(events):
        raise NotADrillError(f"The mock events were not accepted: {result.items}.")


def credit(mock: Mock, invoice: Invoice, *, line_id: int, amount: Decimal, at: datetime) -> Invoice:
    """A credit note over part of a line, asked for by one person in finance, issued by another."""
    note = credit_note.ask_for_credit(
        invoice_id=invoice.pk, reason="drill", amounts={line_id: amount}, actor=mock.people.finance, at=at
    )
    return issue(mock, note, at=at)
