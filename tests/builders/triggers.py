"""A customer with usage in November, a policy with alerts and charge controls, and a look at both."""

from datetime import UTC, datetime
from typing import Any

from accounts.models import Customer
from invoicing.alerts import evaluate as alerts
from invoicing.alerts.models import AlertFiring
from invoicing.charge_controls import evaluate as charge_controls
from invoicing.charge_controls.models import ControlFiring
from invoicing.exposure import keep
from metering import rollups
from tests.builders import billing
from tests.builders.billing import Company

MID = datetime(2026, 11, 16, tzinfo=UTC)  # half of November has passed
HOLD = {"kind": "credit_exposure", "currency": "EUR", "amount": "100.00", "action": "hold_usage"}
NEAR = {
    "kind": "usage_near_limit",
    "meter": "tokens",
    "limit": "10000",
    "percent": "80",
    "notify": {"to": "ops", "channels": ["email", "webhook"]},
}


def company_with(**terms: Any) -> Company:
    """The usual company, with these alerts and charge controls in its second policy version."""
    company = billing.open_company()
    decide(**terms)
    return company


def decide(*, at: datetime = billing.OCTOBER, **terms: Any) -> None:
    """The next version of the policy."""
    billing.sign_a_policy(author=billing.person("olaf", "engineering"), terms=terms, at=at)


def subscriber(company: Company, code: str = "acme") -> Customer:
    customer = billing.make_customer(code)
    billing.subscribe_to(company, customer, since=billing.NOVEMBER)
    return customer


def use(event_id: str, units: Any, *, code: str = "acme") -> None:
    billing.use(code, (event_id, billing.day(3, month=11), units), at=MID)


def look(*, at: datetime = MID) -> tuple[list[AlertFiring], list[ControlFiring]]:
    """What the workers do within seconds: sums, exposures, alerts, charge controls."""
    rollups.roll_up()
    keep.keep_exposures(at=at)
    return alerts.evaluate_alerts(at=at), charge_controls.evaluate_controls(at=at)
