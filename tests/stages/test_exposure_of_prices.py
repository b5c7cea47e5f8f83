"""Exposures come to what a count of the same events comes to, whatever the price asks for."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Customer
from core.periods import Period
from invoicing.alerts import evaluate as alerts
from invoicing.cycle import preview
from invoicing.exposure import keep, read_usage
from invoicing.exposure.models import Exposure, ProgramCost
from invoicing.pricing import subscribe
from invoicing.pricing.models import Plan
from metering import ingest, rollups
from tests.builders import billing, fees
from tests.builders.billing import DECEMBER, NOVEMBER
from tests.builders.triggers import MID

pytestmark = pytest.mark.django_db
SEPTEMBER = datetime(2026, 9, 1, tzinfo=UTC)
TENTH_OF_OCTOBER = datetime(2026, 10, 11, tzinfo=UTC)  # ten of 31 days are over
FREE_FIRST = {"rate_percent": "10", "free_events": 1}
BY_MODEL = {
    "inner": "graduated",
    "prices": [
        {
            "match": {"model": "large"},
            "params": {
                "tiers": [
                    {"up_to": "100", "unit_amount": "0.05", "flat_amount": "0"},
                    {"up_to": None, "unit_amount": "0.01", "flat_amount": "1"},
                ]
            },
        }
    ],
    "default": {"tiers": [{"up_to": None, "unit_amount": "0.02", "flat_amount": "0"}]},
}
BY_DAY = {
    "bucket": "day",
    "bucket_zone": "customer",
    "inner": "package",
    "package_size": "100",
    "package_amount": "1",
}
PRICES = {
    "graduated": {
        "tiers": [
            {"up_to": "1000", "unit_amount": "0.01", "flat_amount": "0"},
            {"up_to": None, "unit_amount": "0.005", "flat_amount": "2"},
        ]
    },
    "volume": {
        "tiers": [
            {"up_to": "1000", "unit_amount": "0.01", "flat_amount": "0"},
            {"up_to": None, "unit_amount": "0.005", "flat_amount": "2"},
        ]
    },
    "package": {"package_size": "100", "package_amount": "1"},
}


def look(*, at: datetime = MID) -> keep.Round:
    rollups.roll_up()
    return keep.keep_exposures(at=at)


def send(*events: tuple[str, str, dict[str, Any]]) -> None:
    """Events as (id, instant, data)."""
    result = ingest.capture_events(
        [
            {
                "specversion": "1.0",
                "source": "/app",
                "id": event_id,
                "type": "usage",
                "subject": "acme",
                "time": when,
                "data": data,
            }
            for event_id, when, data in events
        ],
        channel="http",
        origin="test",
        at=MID,
    )
    assert result.accepted == len(events), result.items


USED = (
    ("a", "2026-11-03T09:10:00Z", {"units": 900, "model": "large", "price": "1.25"}),
    ("b", "2026-11-03T23:30:00Z", {"units": 350, "model": "small", "price": "0.5"}),
    ("c", "2026-11-07T12:00:00Z", {"units": 150, "model": "large"}),
    ("d", "2026-11-15T00:00:00Z", {"units": 75}),
)


def priced(model: str, params: dict[str, Any]) -> Customer:
    """A customer in Berlin whose only price is this one."""
    company = billing.open_company()
    plan = billing.make_plan("own", finance=company.finance, fee=None, meter=None)
    billing.set_price(plan, meter=company.meter, model=model, params=params, finance=company.finance)
    customer = billing.make_customer("acme", time_zone="Europe/Berlin")
    billing.subscribe_to(company, customer, plan=plan, since=NOVEMBER - timedelta(hours=1))
    return customer


@pytest.mark.parametrize(
    ("model", "params", "source"),
    [
        ("standard", {"unit_amount": "0.02"}, "sums"),
        ("graduated", PRICES["graduated"], "sums"),
        ("volume", PRICES["volume"], "sums"),
        ("package", PRICES["package"], "sums"),
        ("percentage", {"rate_percent": "10", "fixed_amount_per_event": "0.30"}, "sums"),
        ("percentage", {"rate_percent": "10", "per_transaction_min": "20", "per_transaction_max": "50"}, "sums"),
        ("percentage", FREE_FIRST, "events"),
        ("dynamic", {"amount_property": "price", "price_from": "event amount"}, "sums"),
        ("dimensional", BY_MODEL, "sums"),
        ("bucketed", BY_DAY, "sums"),
    ],
)
def test_a_price_comes_to_what_a_preview_counts(model: str, params: dict[str, Any], source: str) -> None:
    customer = priced(model, params)
    send(*USED)
    look()
    look(at=MID + timedelta(seconds=10))  # where the price asks for sums of its own, they are there by now
    row = Exposure.objects.get()
    period = Period(NOVEMBER - timedelta(hours=1), DECEMBER - timedelta(hours=1))
    counted = preview.preview_invoice(customer=customer, period=period, at=MID)
    assert counted.totals.payable > 0
    assert (row.unbilled, row.is_complete) == (counted.totals.payable, True)
    assert [line["read_from"] for line in row.inputs["bills"][0]["lines"]] == [source]


def test_what_sums_cannot_tell_is_counted_and_a_long_window_only_once_in_an_hour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """10 % of all but the first event, with 19 % tax: 57.50 → 68.43, then 67.50 → 80.33."""
    priced("percentage", FREE_FIRST)
    send(*USED)
    monkeypatch.setattr(read_usage, "EVENTS_COUNTED_MAX", 3)
    look()
    assert Exposure.objects.get().unbilled == Decimal("68.43")
    send(("e", "2026-11-15T01:00:00Z", {"units": 100}))
    with CaptureQueriesContext(connection) as asked:
        look(at=MID + timedelta(minutes=30))
    kept = Exposure.objects.get()
    (line,) = kept.inputs["bills"][0]["lines"]
    assert (kept.unbilled, line["read_from"], line["counted_at"]) == (
        Decimal("68.43"),
        "earlier_count",
        MID.isoformat(),
    )
    assert not [one for one in asked if "measured_window" in one["sql"]]
    look(at=MID + timedelta(minutes=61))
    assert Exposure.objects.get().unbilled == Decimal("80.33")


def test_what_has_no_amount_is_said_and_hides_nobody_else() -> None:
    priced("dynamic", {"amount_property": "price", "price_from": "event amount", "multiplier": "1000000"})
    send(("huge", "2026-11-03T09:10:00Z", {"units": 1, "price": "999999999999999"}))
    company_plan = billing.make_customer("beta")

    subscribe.start_subscription(
        customer=company_plan, plan=Plan.objects.get(code="starter"), starts_at=NOVEMBER, actor=None, at=NOVEMBER
    )
    look()
    look(at=MID + timedelta(seconds=10))
    broken = Exposure.objects.get(customer__code="acme")
    assert not broken.is_complete
    assert "more than an invoice can hold" in broken.inputs["bills"][0]["flaws"][0]
    assert Exposure.objects.get(customer__code="beta").unbilled == Decimal("58.31")


def test_the_cost_of_a_program_is_projected_from_sums_and_told_where_it_crosses_a_line() -> None:
    """As `fee-projections` counts it: 8.00 so far, 16.40 at the end of October."""
    fees.open_platform()
    line = {"kind": "program_cost", "fee_program": "stripe-connect", "currency": "USD", "amount": "16.00"}
    billing.sign_a_policy(
        author=billing.person("olaf", "engineering"),
        terms={"alerts": [line]},
        at=datetime(2026, 2, 1, tzinfo=UTC),
    )
    fees.pay_out("north", "1000.00", day=2)
    fees.pay_out("south", "400.00", day=9)
    look(at=TENTH_OF_OCTOBER)
    look(at=TENTH_OF_OCTOBER)
    cost = ProgramCost.objects.get(program__code="stripe-connect")
    assert (cost.so_far, cost.at_end, cost.active_accounts) == (Decimal("8.00"), Decimal("16.40"), 2)
    (firing,) = alerts.evaluate_alerts(at=TENTH_OF_OCTOBER)
    assert (firing.kind, firing.value, firing.line) == ("program_cost", Decimal("16.40"), 16)
    assert firing.inputs["accounts"] == {"active": 2, "expected": 2}
    assert alerts.evaluate_alerts(at=TENTH_OF_OCTOBER) == []


def test_a_program_that_cannot_be_projected_is_said_and_stops_no_other_customer() -> None:
    """September's payout went to Canada, for which the figures of October have no table."""
    fees.open_platform(since=SEPTEMBER)
    beta = billing.make_customer("beta", currency="USD")
    subscribe.start_subscription(
        customer=beta, plan=Plan.objects.get(code="platform"), starts_at=SEPTEMBER, actor=None, at=SEPTEMBER
    )
    fees.pay_out("north", "100.00", day=5, month=9, country="CA")
    terms = {"tables": [{"currency": "USD", "country": "US", "per_account": "2.00"}]}
    fees.next_figures("stripe-connect", terms, effective_at=datetime(2026, 10, 1, tzinfo=UTC))
    look(at=TENTH_OF_OCTOBER)
    look(at=TENTH_OF_OCTOBER + timedelta(seconds=10))
    acme, other = Exposure.objects.get(customer__code="acme"), Exposure.objects.get(customer__code="beta")
    assert not acme.is_complete
    (flaw,) = (flaw for bill in acme.inputs["bills"] for flaw in bill["flaws"])
    assert flaw.startswith("Fee program stripe-connect: There is no table in USD for CA, and none in USD")
    assert other.is_complete
    assert {one.customer.code for one in ProgramCost.objects.all()} == {"beta"}
