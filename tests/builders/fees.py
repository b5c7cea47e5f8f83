"""A platform that is charged by fee programs: payments, payouts, meters over them, and shipped figures approved."""

from datetime import UTC, date, datetime
from typing import Any

from invoicing.pricing import fee_programs, shipped_programs
from invoicing.pricing.fee_programs import Source
from invoicing.pricing.models import FeeProgram, FeeProgramVersion, Plan
from metering import contracts, ingest, meters
from metering.models import EventContract, Meter
from metering.rules.drafting import ContractDraft
from tests.builders import billing
from tests.builders.billing import LONG_AGO
from tests.builders.remembering import remembered

PAYMENT_FLAGS = [{"surcharge": name, "property": name} for name in ("manual", "international", "conversion")]


def make_contract(event_type: str) -> EventContract:
    """Money that moved: an amount, and what the programs ask about it."""
    text, flag = {"type": "string"}, {"type": "boolean"}
    properties = {"amount": text, "account": text, "country": text, "manual": flag, "international": flag}
    draft = ContractDraft(
        schema={"type": "object", "properties": properties, "required": ["amount"]},
        billing_fields=["amount"],
        valid_examples=[{"amount": "1.00"}],
        invalid_examples=[{"data": {"account": "north"}, "code": "billing_field_missing", "pointer": "/data/amount"}],
    )
    owner = billing.person("olaf", "engineering")
    return contracts.open_contract(
        event_type=event_type, description="Money moved.", draft=draft, is_activated=True, actor=owner, at=LONG_AGO
    )


def make_meter(code: str, contract: EventContract) -> Meter:
    """The volume of these events; each program has a meter of its own."""
    return meters.create_meter(
        code=code,
        name=code.capitalize(),
        definition="Volume.",
        exclusions="",
        unit="USD",
        contract=contract,
        aggregation="sum",
        value_property="amount",
        owner=billing.person("olaf", "engineering"),
    )


def approve_shipped(*codes: str) -> None:
    """The programs as they come with the product, with these in force since the beginning of 2026."""
    shipped_programs.load_programs(actor=billing.person("pia", "product"), at=LONG_AGO)
    for version in FeeProgramVersion.objects.filter(program__code__in=codes):
        fee_programs.approve_version(pk=version.pk, actor=billing.approver(), at=LONG_AGO)


def propose_figures(program: str, terms: Any, *, effective_at: datetime) -> FeeProgramVersion:
    return fee_programs.propose_version(
        program=FeeProgram.objects.get(code=program),
        terms=terms,
        source=Source(text="contract of 1 October", read_on=date(2026, 10, 1), kind="primary"),
        effective_at=effective_at,
        actor=billing.person("pia", "product"),
        at=LONG_AGO,
    )


def next_figures(program: str, terms: Any, *, effective_at: datetime) -> FeeProgramVersion:
    """The same, approved."""
    version = propose_figures(program, terms, effective_at=effective_at)
    return fee_programs.approve_version(pk=version.pk, actor=billing.approver(), at=LONG_AGO)


@remembered
def open_platform(*, since: datetime = billing.OCTOBER) -> Plan:
    """A platform, acme, that passes on three programs: two stacked on each payment, one on payouts."""
    company = billing.open_company()
    approve_shipped("stripe-standard", "stripe-managed-payments", "stripe-connect")
    payments, payouts = make_contract("payment.succeeded"), make_contract("payout.sent")
    plan = billing.make_plan("platform", finance=company.finance, fee=None, meter=None, currency="USD")
    for code, contract, params in (
        ("cards", payments, {"program": "stripe-standard", "flags": PAYMENT_FLAGS}),
        ("managed", payments, {"program": "stripe-managed-payments"}),
        ("connect", payouts, {"program": "stripe-connect", "account": "account", "country": "country"}),
    ):
        billing.set_price(
            plan,
            meter=make_meter(code, contract),
            model="fee_program",
            params={"amount": "amount", **params},
            finance=company.finance,
        )
    billing.subscribe_to(company, billing.make_customer("acme", currency="USD"), plan=plan, since=since)
    return plan


def event(kind: str, name: str, data: dict[str, Any], *, at: datetime) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"{kind}-{name}",
        "source": "/shop",
        "type": kind,
        "subject": "acme",
        "time": at.isoformat(),
        "data": data,
    }


def pay_out(
    account: str, amount: str, *, day: int, month: int = 10, country: str = "US", received: datetime | None = None
) -> None:
    """A payout of acme, straight into capture; when it happened, or late."""
    at = datetime(2026, month, day, 12, tzinfo=UTC)
    data = {"amount": amount, "account": account, "country": country}
    sent = event("payout.sent", f"{account}-{month}-{day}", data, at=at)
    assert ingest.capture_events([sent], channel="http", origin="test", at=received or at).accepted == 1
