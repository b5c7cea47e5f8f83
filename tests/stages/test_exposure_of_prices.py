"""Exposures come to what a count of the same events comes to, whatever the price asks for."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Customer
from core import periods
from core.periods import Period
from invoicing.alerts import evaluate as alerts
from invoicing.cycle import preview
from invoicing.exposure import keep, read_usage
from invoicing.exposure.models import Exposure, ProgramCost
from invoicing.pricing import subscribe
from invoicing.pricing.models import Plan
from metering import contracts, ingest, meters, rollups
from metering.models import EventContract, Meter, UsageRollup
from metering.rules.drafting import ContractDraft
from tests.builders import billing, fees, usage
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
PRICES: dict[str, dict[str, Any]] = {
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


EVERYTHING = tuple(
    (event_id, when, data | {"action": "remove" if event_id in ("e", "g") else "add"})
    for event_id, when, data in (
        *USED,
        ("e", "2026-11-09T18:29:59Z", {"units": 350, "model": "small"}),
        ("f", "2026-11-09T18:30:00Z", {"units": 12, "model": "tiny", "price": "2"}),
        ("g", "2026-10-20T10:00:00Z", {"units": 12}),
        ("h", "2026-10-31T18:45:00Z", {"units": 60, "model": "large"}),
        ("i", "2026-11-11T10:00:00Z", {"units": -5, "model": "large"}),
    )
)


def promise_actions() -> None:
    """Events say from now on whether they add or remove."""
    owner = billing.person("olaf", "engineering")
    draft = ContractDraft(
        schema={
            "type": "object",
            "properties": {"units": {"type": "number"}, "action": {"type": "string"}},
            "required": ["units", "action"],
        },
        billing_fields=["units", "action"],
        valid_examples=[{"units": 1, "action": "add"}],
        invalid_examples=[usage.NOT_DATA],
    )
    contract = EventContract.objects.get(event_type="usage")
    version = contracts.draft_version(contract=contract, draft=draft, actor=owner, at=MID)
    contracts.activate_version(version_id=version.pk, actor=owner, at=MID)


def measure(code: str, **facts: Any) -> Meter:
    """A meter over the same events as the others."""
    facts = {"value_property": "" if facts["aggregation"] == "count" else "units", "decimals": 12} | facts
    return meters.create_meter(
        code=code,
        name=code,
        definition="Units of use.",
        exclusions="",
        unit="unit",
        contract=EventContract.objects.get(event_type="usage"),
        owner=billing.person("olaf", "engineering"),
        **facts,
    )


def priced(model: str, params: dict[str, Any], *, aggregation: str = "sum") -> Customer:
    """A customer in Berlin whose only price is this one."""
    company = billing.open_company()
    plan = billing.make_plan("own", finance=company.finance, fee=None, meter=None)
    meter = company.meter if aggregation == "sum" else measure("own", aggregation=aggregation)
    billing.set_price(plan, meter=meter, model=model, params=params, finance=company.finance)
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
        ("percentage", FREE_FIRST, "sums"),
        ("percentage", {"rate_percent": "10", "free_total_amount": "1000", "per_transaction_max": "20"}, "sums"),
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


def test_what_rows_from_before_cannot_tell_is_counted_and_a_long_window_only_once_in_an_hour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """3 units from the first instant of the period for 2.00 each: 6.00 + 19 %; then 3 more."""
    priced("standard", {"unit_amount": "2"}, aggregation="time_weighted_sum")
    send(("a", "2026-10-31T23:00:00Z", {"units": 1}), ("b", "2026-10-31T23:00:00Z", {"units": 2}))
    monkeypatch.setattr(read_usage, "EVENTS_COUNTED_MAX", 1)
    rollups.roll_up()
    UsageRollup.objects.update(moment=None)
    look()
    assert Exposure.objects.get().unbilled == Decimal("7.14")
    send(("c", "2026-10-31T23:00:00Z", {"units": 3}))
    with CaptureQueriesContext(connection) as asked:
        look(at=MID + timedelta(minutes=30))
    kept = Exposure.objects.get()
    (line,) = kept.inputs["bills"][0]["lines"]
    assert (kept.unbilled, line["read_from"], line["counted_at"]) == (Decimal("7.14"), "earlier_count", MID.isoformat())
    assert not [one for one in asked if "measured_window" in one["sql"]]
    look(at=MID + timedelta(minutes=61))
    assert Exposure.objects.get().unbilled == Decimal("14.28")


# Every way in which prices look at usage, by what may be priced so: a quantity alone, or also its parts.
ANY: dict[str, dict[str, Any]] = {
    "standard": {"unit_amount": "0.02"},
    "graduated": PRICES["graduated"],
    "volume": PRICES["volume"],
    "package": PRICES["package"],
    "percentage": {"rate_percent": "10"},
    "dynamic": {"multiplier": "0.5"},
}
PARTED: dict[str, tuple[str, dict[str, Any]]] = {
    "fixed": ("percentage", {"rate_percent": "10", "fixed_amount_per_event": "0.30"}),
    "limits": ("percentage", {"rate_percent": "10", "per_transaction_min": "20", "per_transaction_max": "50"}),
    "first": ("percentage", {"rate_percent": "10", "free_events": 3, "fixed_amount_per_event": "0.30"}),
    "worth": ("percentage", {"rate_percent": "10", "free_total_amount": "1000", "per_transaction_max": "20"}),
    "carried": ("dynamic", {"amount_property": "price", "price_from": "event amount"}),
    "models": ("dimensional", BY_MODEL),
    **{
        f"{width}-{whose}": ("bucketed", BY_DAY | {"bucket": width, "bucket_zone": whose})
        for width in ("minute", "hour", "day", "month")
        for whose in ("customer", "UTC")
    },
}
WHOLE_ONLY: dict[str, dict[str, Any]] = {  # what is measured whole: a level, an average, what is held
    "average": {"aggregation": "average"},
    "level": {"aggregation": "sum", "is_recurring": True},
    "weighed": {"aggregation": "time_weighted_sum"},
    "weighed-level": {"aggregation": "time_weighted_sum", "is_recurring": True},
    "by-day": {"aggregation": "prorated_sum"},
    "ever": {"aggregation": "unique_count", "is_recurring": True},
    "held": {"aggregation": "unique_count", "operation_property": "action"},
    "held-level": {"aggregation": "unique_count", "operation_property": "action", "is_recurring": True},
    "seats": {"aggregation": "prorated_unique_count"},
    "held-seats": {"aggregation": "prorated_unique_count", "operation_property": "action"},
}
IN_PARTS: dict[str, dict[str, Any]] = {
    name: {"aggregation": name} for name in ("count", "sum", "max", "min", "last", "unique_count")
}


def priced_ways(*, in_parts: Iterable[str]) -> list[tuple[str, dict[str, Any], str, dict[str, Any]]]:
    """Each aggregation and each model by a quantity, and these aggregations in parts by each way to split."""
    ways = [(name, facts, "graduated", ANY["graduated"]) for name, facts in (WHOLE_ONLY | IN_PARTS).items()]
    ways += [(f"by-{model}", IN_PARTS["sum"], model, params) for model, params in ANY.items()]
    ways += [
        (f"{name}-{price}", IN_PARTS[name], model, params)
        for name in in_parts
        for price, (model, params) in PARTED.items()
    ]
    return [(code.replace("_", "-"), facts, model, params) for code, facts, model, params in ways]


@pytest.mark.parametrize(
    ("zone", "in_parts"),
    [
        ("Asia/Kolkata", ["sum"]),
        pytest.param("Asia/Kolkata", IN_PARTS, marks=pytest.mark.nightly),
        pytest.param("Europe/Berlin", IN_PARTS, marks=pytest.mark.nightly),
    ],
)
def test_every_aggregation_and_price_is_read_from_sums_and_comes_to_what_a_count_gives(
    zone: str, in_parts: Iterable[str]
) -> None:
    """Also where midnights lie between the hours of UTC; a look that follows new usage reads no event of a time."""
    company = billing.open_company()
    promise_actions()
    plan = billing.make_plan("everything", finance=company.finance, fee=None, meter=None)
    for code, facts, model, params in priced_ways(in_parts=in_parts):
        meter = measure(code, **facts)
        billing.set_price(plan, charge=code, meter=meter, model=model, params=params, finance=company.finance)
    customer = billing.make_customer("acme", time_zone=zone)
    first, last = (periods.local_midnight(date(2026, month, 1), zone=zone) for month in (11, 12))
    billing.subscribe_to(company, customer, plan=plan, since=first)
    send(*EVERYTHING)
    look()  # asks for sums of its own
    look(at=MID + timedelta(seconds=10))
    look(at=MID + timedelta(seconds=20))
    send(("new", "2026-11-14T09:10:00Z", {"units": 7, "model": "small", "price": "0.75", "action": "remove"}))
    rollups.roll_up()
    with CaptureQueriesContext(connection) as asked:
        keep.keep_exposures(at=MID + timedelta(seconds=30))
    on_events = [one["sql"] for one in asked if "metering_usageevent" in one["sql"]]
    assert len(on_events) == 1, on_events[1:]
    assert "seq >" in on_events[0]
    row = Exposure.objects.get()
    (bill,) = row.inputs["bills"]
    counted = preview.preview_invoice(customer=customer, period=Period(first, last), at=MID + timedelta(seconds=30))
    assert len(bill["lines"]) == len(counted.lines) == 16 + 6 + 14 * len(list(in_parts))
    assert {line["read_from"] for line in bill["lines"]} == {"sums"}
    assert (row.unbilled, row.is_complete) == (counted.totals.payable, True)


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
