"""A small company that bills: made through the stages themselves, with figures a bookkeeper can follow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group, User

from accounts.models import Customer, Seller
from invoicing.cycle import approve, close, delta_decide, discard, finalize
from invoicing.cycle.models import Invoice
from invoicing.policy import propose, sign
from invoicing.policy.models import TriggerPolicy
from invoicing.pricing import invoice_terms, plans, prices, subscribe
from invoicing.pricing.models import Plan, Subscription
from metering import contracts, ingest, meters
from metering.models import Meter
from metering.rules.drafting import ContractDraft
from tests.builders.remembering import remembered

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)
NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)
CLOSING = datetime(2026, 11, 2, 8, tzinfo=UTC)
NEXT_CLOSING = datetime(2026, 12, 2, 8, tzinfo=UTC)


def person(name: str, *roles: str) -> User:
    """Staff with these roles."""
    user, _ = User.objects.get_or_create(username=name, defaults={"is_staff": True})
    user.groups.set(Group.objects.filter(name__in=roles))
    return user


@dataclass(frozen=True, kw_only=True)
class Company:
    """Who decides, what is measured, and the plan: 49.00 a month and 0.002 per token, both in EUR."""

    seller: Seller
    finance: User
    other_finance: User
    meter: Meter
    plan: Plan


@remembered
def open_company() -> Company:
    """A seller with two people in finance, one meter, one plan and 19 % tax."""
    owner = person("olaf", "engineering")
    finance = person("fiona", "finance")
    sign_a_policy(author=owner)
    seller = Seller.objects.create(
        code="lumen",
        legal_name="Lumen GmbH",
        address="Hafen 1\n10245 Berlin",
        country="DE",
        tax_id="DE811193231",
        bank_details="IBAN DE02 1203 0000 0000 2020 51",
        time_zone="Europe/Berlin",
    )
    prices.add_tax_rate(
        code="de-vat",
        name="VAT",
        category="S",
        percent=Decimal(19),
        effective_at=LONG_AGO,
        note="",
        actor=finance,
        at=LONG_AGO,
    )
    meter = make_meter("tokens", event_type="usage", owner=owner)
    return Company(
        seller=seller,
        finance=finance,
        other_finance=person("felix", "finance"),
        meter=meter,
        plan=make_plan("starter", finance=finance, fee="49", meter=meter, unit_amount="0.002"),
    )


def sign_a_policy(
    *, author: User, terms: Mapping[str, Any] | None = None, program: str = "standard", at: datetime = LONG_AGO
) -> TriggerPolicy:
    """The next version of a program's policy, signed by three people, in force from `at` on."""
    policy = propose.propose_policy(
        program=program, terms=dict(terms or {}), effective_at=at, reason="how we bill", actor=author, at=at
    )
    for role in ("product", "finance", "ops"):
        signer = person(f"signs-for-{role}", role)
        policy = sign.sign_policy(policy_id=policy.pk, content_hash=policy.content_hash, role=role, actor=signer, at=at)
    return policy


def ask_for_two(company: Company, *, above: str = "50.00", currency: str = "EUR") -> TriggerPolicy:
    """The next version of the policy: invoices above the amount need two people in finance."""
    terms = {"approval": {"second_person_above": {currency: above}}}
    return sign_a_policy(author=company.meter.owner, terms=terms, at=LONG_AGO + timedelta(days=1))


def make_meter(code: str, *, event_type: str, owner: User, aggregation: str = "sum") -> Meter:
    """A meter over `units` of its own event type."""
    draft = ContractDraft(
        schema={"type": "object", "properties": {"units": {"type": "number"}}, "required": ["units"]},
        billing_fields=["units"],
        valid_examples=[{"units": 1}],
        invalid_examples=[{"data": {"units": "many"}, "code": "schema_type", "pointer": "/data/units"}],
    )
    contract = contracts.open_contract(
        event_type=event_type, description="What was used.", draft=draft, is_activated=True, actor=owner, at=LONG_AGO
    )
    return meters.create_meter(
        code=code,
        name=code.capitalize(),
        definition="Units of use.",
        exclusions="",
        unit="unit",
        contract=contract,
        aggregation=aggregation,
        value_property="units",
        owner=owner,
    )


def make_plan(
    code: str, *, finance: User, fee: str | None, meter: Meter | None, unit_amount: str = "0", currency: str = "EUR"
) -> Plan:
    """A monthly plan with a base fee, a price per unit, or both."""
    plan = plans.create_plan(
        code=code, name=code.capitalize(), currency=currency, proration_unit="day", actor=finance, at=LONG_AGO
    )
    plans.approve_version(pk=plan.versions.get().pk, actor=approver(), at=LONG_AGO)
    if fee is not None:
        set_price(plan, charge="base", model="flat", params={"amount": fee}, finance=finance)
    if meter is not None:
        set_price(plan, meter=meter, model="standard", params={"unit_amount": unit_amount}, finance=finance)
    return plan


def set_price(
    plan: Plan,
    *,
    finance: User,
    model: str,
    params: Mapping[str, Any],
    charge: str | None = None,
    meter: Meter | None = None,
    effective_at: datetime = LONG_AGO,
) -> None:
    price = prices.propose_plan_price(
        plan=plan,
        charge_code=charge,
        meter=meter,
        name=None if charge is None else charge.capitalize(),
        model=model,
        params=dict(params),
        effective_at=effective_at,
        actor=finance,
        at=LONG_AGO,
    )
    prices.approve_price_version(pk=price.pk, actor=approver(), at=LONG_AGO)


def approver() -> User:
    """Who approves what others in finance or product propose."""
    return person("frida", "finance")


def make_customer(code: str, **facts: Any) -> Customer:
    """A German customer, unless the facts say otherwise."""
    usual = {
        "legal_name": f"{code.capitalize()} GmbH",
        "address": "Werkstr. 7\n80331 München",
        "country": "DE",
        "tax_id": "DE129273398",
        "currency": "EUR",
        "time_zone": "UTC",
        "payment_terms_days": 14,
        "email": f"pay@{code}.example",
        "tax_rate_code": "de-vat",
    }
    return Customer.objects.create(code=code, **{**usual, **facts})


def subscribe_to(
    company: Company, customer: Customer, *, plan: Plan | None = None, since: datetime = OCTOBER
) -> Subscription:
    return subscribe.start_subscription(
        customer=customer, plan=plan or company.plan, starts_at=since, actor=company.finance, at=since
    )


def pay_in_advance(subscription: Subscription, amount: str) -> None:
    """So much was paid before any invoice, approved since ever."""
    term = invoice_terms.propose_invoice_term(
        subject=subscription,
        code="deposit",
        kind="prepaid",
        reason="Deposit",
        amount=Decimal(amount),
        effective_at=LONG_AGO,
        actor=person("pia", "product"),
        at=LONG_AGO,
    )
    invoice_terms.approve_invoice_term(pk=term.pk, actor=approver(), at=LONG_AGO)


def use(customer: str, *events: tuple[str, datetime, Any], event_type: str = "usage", at: datetime = CLOSING) -> None:
    """Capture events, each as (id, when, units)."""
    result = ingest.capture_events(
        [
            {
                "specversion": "1.0",
                "source": f"/meter/{customer}",
                "id": event_id,
                "type": event_type,
                "subject": customer,
                "time": when.isoformat(),
                "data": {"units": units},
            }
            for event_id, when, units in events
        ],
        channel="http",
        origin="test",
        at=at,
    )
    assert result.accepted == len(events), result.items


def day(number: int, *, month: int = 10) -> datetime:
    """Noon of a day in 2026."""
    return datetime(2026, month, number, 12, tzinfo=UTC)


def close_october(**options: Any) -> close.CloseReport:
    return close.close_cycles(**{"as_of": NOVEMBER, "at": CLOSING, **options})


def close_november(**options: Any) -> close.CloseReport:
    return close.close_cycles(**{"as_of": DECEMBER, "at": NEXT_CLOSING, **options})


def approve_by(user: User, invoice: Invoice, *, at: datetime = CLOSING) -> Invoice:
    allow_changes(user, invoice, at=at)
    return approve.approve_invoice(invoice_id=invoice.pk, content_hash=invoice.content_hash, actor=user, at=at)


def allow_changes(user: User, invoice: Invoice, *, at: datetime = CLOSING) -> None:
    """Approve the delta reports of a draft, where it has any."""
    for report in invoice.delta_reports.filter(status="proposed"):
        delta_decide.approve_report(
            report_id=report.pk, content_hash=report.content_hash, reason="looked at each line", actor=user, at=at
        )


def issue(company: Company, invoices: Sequence[Invoice], *, at: datetime = CLOSING) -> list[Invoice]:
    """Approve and finalize."""
    for invoice in invoices:
        approve_by(company.finance, invoice, at=at)
    return [finalize.finalize_invoice(invoice_id=invoice.pk, actor=None, at=at) for invoice in invoices]


def billed_customer(company: Company, code: str = "acme", **facts: Any) -> Invoice:
    """A customer with 1,500 tokens in October, closed: 49.00 + 3.00 net, 9.88 tax, 61.88."""
    subscribe_to(company, make_customer(code, **facts))
    use(code, ("e1", day(3), 1000), ("e2", day(20), 500))
    close_october(customer_codes=[code])
    return Invoice.objects.get(customer__code=code)


def discard_draft(company: Company, invoice: Invoice, *, at: datetime = CLOSING) -> Invoice:
    return discard.discard_invoice(invoice_id=invoice.pk, reason="to be counted afresh", actor=company.finance, at=at)
