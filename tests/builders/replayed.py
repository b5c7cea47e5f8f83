"""A customer with two closed months that show everything a replay set has to show, by hand-written figures.

October: 1,500 tokens, 1,000 at 0.002 and 500 at 0.001, and a fee of 49.00: 51.50 net, 61.29 with 19 % tax.
November: another plan from the 16th on. 300 tokens before it (0.60), 200 after it (0.40), two halves of 49.00, and 100
tokens of October that came late (0.10): 50.10 net, 59.62 with tax.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from invoicing.cycle.models import Invoice
from invoicing.pricing import prices, subscribe
from invoicing.pricing.models import Plan, PriceVersion
from metering import contracts
from metering.models import EventContractVersion
from metering.rules.drafting import ContractDraft
from tests.builders import billing
from tests.builders.billing import Company, day
from tests.builders.remembering import remembered

CHANGE = datetime(2026, 11, 16, tzinfo=UTC)
TIERS = {"tiers": [{"up_to": "1000", "unit_amount": "0.002"}, {"up_to": None, "unit_amount": "0.001"}]}
DEARER = {"tiers": [{"up_to": "1000", "unit_amount": "0.003"}, {"up_to": None, "unit_amount": "0.001"}]}


@contextmanager
def lasting_world(django_db_blocker: Any) -> Iterator[None]:
    """What is written inside stands for all tests of a module, each of which undoes only its own."""
    with django_db_blocker.unblock():
        world = transaction.atomic()
        world._from_testcase = True  # type: ignore[attr-defined]  # noqa: SLF001  so durable blocks open in it, as in tests
        with world:
            yield
            transaction.set_rollback(True)


@remembered
def open_company() -> Company:
    """The usual company, with a plan in tiers that its customer begins on and the usual one to change to."""
    company = billing.open_company()
    plan = billing.make_plan("tiered", finance=company.finance, fee="49", meter=None)
    billing.set_price(plan, meter=company.meter, model="graduated", params=TIERS, finance=company.finance)
    return company


def bill_two_months(company: Company, code: str = "acme", **facts: Any) -> list[Invoice]:
    """October issued, November drafted."""
    customer = billing.make_customer(code, **facts)
    subscription = billing.subscribe_to(company, customer, plan=Plan.objects.get(code="tiered"))
    billing.use(code, ("o1", day(3), 1000))
    billing.use(code, ("o2", day(20), 300), ("o3", day(21), 200))
    billing.close_october(customer_codes=[code])
    billing.issue(company, [Invoice.objects.get(customer=customer)])
    billing.use(code, ("n1", day(5, month=11), 300), at=billing.NEXT_CLOSING)
    billing.use(code, ("late", day(30), 100), ("n2", day(20, month=11), 200), at=billing.NEXT_CLOSING)
    subscribe.change_plan(
        subscription=subscription, plan=company.plan, effective_at=CHANGE, actor=company.finance, at=CHANGE
    )
    billing.close_november(customer_codes=[code])
    return list(Invoice.objects.filter(customer=customer).order_by("pk"))


def propose_dearer() -> PriceVersion:
    """The first 1,000 tokens at 0.003, from December on; waits for its approval."""
    return prices.propose_price_version(
        charge=Plan.objects.get(code="tiered").charges.get(meter__isnull=False),
        model="graduated",
        params=DEARER,
        effective_at=billing.DECEMBER,
        actor=billing.person("pia", "product"),
        at=billing.NEXT_CLOSING,
    )


def draft_stricter(company: Company) -> EventContractVersion:
    """Events of more than 500 units are no longer taken; not in force."""
    draft = ContractDraft(
        schema={
            "type": "object",
            "properties": {"units": {"type": "number", "maximum": 500}},
            "required": ["units"],
        },
        billing_fields=["units"],
        valid_examples=[{"units": 1}],
        invalid_examples=[{"data": {"units": 501}, "code": "schema_maximum", "pointer": "/data/units"}],
    )
    return contracts.draft_version(
        contract=company.meter.contract, draft=draft, actor=company.meter.owner, at=billing.NEXT_CLOSING
    )
