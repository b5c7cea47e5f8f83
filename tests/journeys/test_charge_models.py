"""From events over HTTP to a printed invoice and back, under every charge model; each figure worked out by hand."""

import io
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from pypdf import PdfReader

from accounts.models import Scope
from billing_ops.management.commands import check_invariants
from invoicing.cycle import tasks
from invoicing.cycle.models import Invoice, InvoiceLine
from invoicing.pricing import subscribe
from invoicing.pricing.models import Plan
from tests.builders import billing, people
from tests.builders.billing import NOVEMBER, OCTOBER
from tests.builders.people import ApiClient
from tests.builders.sender import Sender

pytestmark = pytest.mark.django_db

SEPTEMBER = datetime(2026, 9, 1, tzinfo=UTC)

Use = tuple[str, int, dict[str, Any]]  # event type, day of September, data
TWO_TIERS = [{"up_to": "100", "unit_amount": "1"}, {"up_to": None, "unit_amount": "0.5"}]
# Code and model of each charge with a meter, its params, and what is used of it. Where the figures are those of a
# published case, it is named beside them.
METERED: list[tuple[str, str, dict[str, Any], list[Use]]] = [
    ("tokens", "standard", {"unit_amount": "0.002"}, [("tokens", 3, {"units": 1000}), ("tokens", 20, {"units": 500})]),
    (
        "clouds",
        "standard",
        {"unit_amount": "0.05", "filters": [{"cloud": "aws", "unit_amount": "0.08"}]},
        [("clouds", 4, {"units": 100, "cloud": "aws"}), ("clouds", 5, {"units": 40, "cloud": "gcp"})],
    ),
    ("graduated", "graduated", {"tiers": TWO_TIERS}, [("graduated", 6, {"units": 130})]),
    ("volume", "volume", {"tiers": TWO_TIERS}, [("volume", 7, {"units": 150})]),
    (
        "packages",
        "package",
        {"package_amount": "5", "package_size": "100", "free_units": "0"},
        [("packages", 8, {"units": 250})],
    ),
    (
        "blocks",  # Kill Bill, TestContiguousIntervalConsumableInArrear: blocks inside tiers
        "graduated_package",
        {
            "tiers": [
                {"up_to": "1000", "package_size": "100", "package_amount": "1"},
                {"up_to": None, "package_size": "1000", "package_amount": "1"},
            ]
        },
        [("blocks", 9, {"units": 1500})],
    ),
    (
        "bulk",
        "volume_package",
        {
            "tiers": [
                {"up_to": "1000", "package_size": "100", "package_amount": "1"},
                {"up_to": None, "package_size": "1000", "package_amount": "0.5"},
            ]
        },
        [("bulk", 10, {"units": 2500})],
    ),
    (
        "payments",  # Lago, percentage_service_spec: free up to 250.00 of 50, 100, 250 and 400
        "percentage",
        {"rate_percent": "1.3", "fixed_amount_per_event": "2.0", "free_total_amount": "250"},
        [("payments", day, {"units": amount}) for day, amount in ((3, 50), (4, 100), (5, 250), (6, 400))],
    ),
    (
        "volume-fee",  # Lago, graduated percentage: 21 in three bands
        "graduated_percentage",
        {
            "tiers": [
                {"up_to": "10", "rate_percent": "1", "flat_amount": "200"},
                {"up_to": "20", "rate_percent": "2", "flat_amount": "300"},
                {"up_to": None, "rate_percent": "3", "flat_amount": "400"},
            ]
        },
        [("volume-fee", 11, {"units": 21})],
    ),
    (
        "calls",  # Lago, dynamic_service_spec: 40.2 cents
        "dynamic",
        {"price_from": "event amount in minor units", "amount_property": "cents"},
        [("calls", 12, {"units": 20, "cents": "40.2"})],
    ),
    (
        "compute",
        "bucketed",
        {"inner": "volume", "tiers": TWO_TIERS, "bucket": "day", "bucket_zone": "customer"},
        [("compute", 13, {"units": 90}), ("compute", 14, {"units": 60}), ("compute", 14, {"units": 60})],
    ),
    (
        "storage",
        "dimensional",
        {
            "inner": "standard",
            "prices": [{"match": {"region": "eu", "class": "gold"}, "params": {"unit_amount": "2"}}],
            "default": {"unit_amount": "1"},
        },
        [
            ("storage", 15, {"units": 10, "region": "eu", "class": "gold"}),
            ("storage", 16, {"units": 5, "region": "eu", "class": "silver"}),
        ],
    ),
    (
        "traffic",  # 5,400 in thousands begun is 6; 2 are included; 4 × 10.00 less 10 %
        "standard",
        {
            "unit_amount": "10",
            "unit_conversion": {"operation": "divide", "factor": "1000", "rounding": "ceiling"},
            "included_quantity": "2",
            "discount_percent": "10",
        },
        [("traffic", 17, {"units": 5400})],
    ),
]


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


def price(company: billing.Company, plan: Plan, code: str, model: str, **params: Any) -> None:
    billing.set_price(plan, charge=code, model=model, params=params, finance=company.finance)


def plan_with(company: billing.Company, codes: Iterable[str], *, code: str = "everything") -> Plan:
    """A plan with these metered charges, each over a meter and an event type of its own name."""
    plan = billing.make_plan(code, finance=company.finance, fee=None, meter=None)
    for name, model, params, _ in METERED:
        if name in codes:
            known = name == company.meter.code
            meter = company.meter if known else billing.make_meter(name, event_type=name, owner=company.meter.owner)
            billing.set_price(plan, meter=meter, model=model, params=params, finance=company.finance)
    return plan


def send(uses: Iterable[Use], *, prefix: str) -> None:
    """One delivery over HTTP, as a program of the customer sends it."""
    events = [
        {
            "specversion": "1.0",
            "source": "/shop",
            "id": f"{prefix}-{number}",
            "type": "usage" if event_type == "tokens" else event_type,
            "subject": "acme",
            "time": datetime(2026, 9, day, 12, tzinfo=UTC).isoformat(),
            "data": data,
        }
        for number, (event_type, day, data) in enumerate(uses)
    ]
    answer = Sender().send(events).json()
    assert (answer["received"], answer["accepted"]) == (len(events), len(events)), answer


def close(as_of: datetime) -> None:
    call_command("close_cycles", "--as-of", as_of.isoformat(), stdout=io.StringIO())


def lines_of(start: datetime) -> list[tuple[str, Decimal]]:
    lines = InvoiceLine.objects.filter(invoice__period_start=start)
    return list(lines.order_by("position").values_list("description", "amount"))


def issue(company: billing.Company, start: datetime) -> tuple[ApiClient, dict[str, Any]]:
    """Approved by one and finalized by another over the API, then printed; the final invoice as the API shows it."""
    finance = ApiClient(people.key_for(company.finance, scopes=[Scope.READ, Scope.WRITE]))
    colleague = ApiClient(people.key_for(company.other_finance, scopes=[Scope.READ, Scope.WRITE]))
    invoice = Invoice.objects.get(period_start=start)
    assert invoice.tie_outs.get().is_tied
    billing.allow_changes(company.finance, invoice, at=timezone.now())
    approved = finance.post(f"invoices/{invoice.pk}/approve", {"content_hash": invoice.content_hash})
    assert approved.status_code == 200, approved.content
    assert colleague.post(f"invoices/{invoice.pk}/finalize").status_code == 200
    tasks.render_invoice_pdf(invoice_id=invoice.pk)
    return finance, finance.get(f"invoices/{invoice.pk}").json()


def printed(finance: ApiClient, invoice: dict[str, Any]) -> str:
    pdf = finance.get(f"invoices/{invoice['id']}/pdf")
    assert pdf.headers["Content-Type"] == "application/pdf"
    return " ".join("".join(page.extract_text() + "\n" for page in PdfReader(io.BytesIO(pdf.content)).pages).split())


def walk(finance: ApiClient, invoice: dict[str, Any], description: str) -> dict[str, Any]:
    [line] = [each for each in invoice["lines"] if each["description"] == description]
    found: dict[str, Any] = finance.get(f"invoices/{invoice['id']}/lines/{line['id']}/trace").json()
    assert found["proof"]["verdict"] == "equal", found["proof"]
    return found


def require_sound_books(invoice: dict[str, Any]) -> None:
    page = io.StringIO()
    call_command("trace", invoice["number"], stdout=page)  # exits with 1 where a step differs
    assert "DIFFERS" not in page.getvalue()
    assert [found for one in check_invariants.all_invariants() for found in one.find_offenders()] == []


SEPTEMBER_LINES = [
    ("Base", Decimal("49.00")),
    ("Support", Decimal("20.00")),
    ("Tokens", Decimal("3.00")),  # 1,500 × 0.002
    ("Clouds", Decimal("10.00")),  # 100 × 0.08 + 40 × 0.05
    ("Graduated", Decimal("115.00")),  # 100 × 1 + 30 × 0.5
    ("Volume", Decimal("75.00")),  # 150 × 0.5
    ("Packages", Decimal("15.00")),  # 3 × 5
    ("Blocks", Decimal("11.00")),  # 10 × 1 + 1 × 1
    ("Bulk", Decimal("1.50")),  # 3 × 0.5
    ("Payments", Decimal("11.15")),  # 1.3 % of 150 + 2.00, 1.3 % of 400 + 2.00
    ("Volume-fee", Decimal("900.33")),  # 0.10 + 200, 0.20 + 300, 0.03 + 400
    ("Calls", Decimal("0.40")),
    ("Compute", Decimal("150.00")),  # 90 × 1 on the 13th, 120 × 0.5 on the 14th
    ("Storage", Decimal("25.00")),  # 10 × 2 + 5 × 1
    ("Traffic", Decimal("36.00")),
    ("Support", Decimal("20.00")),  # October, in advance
    ("Discount", Decimal("-144.24")),  # 10 % of 1,442.38
    ("Minimum", Decimal("121.86")),  # 1,422.38 of September − 144.24, up to 1,400
    ("Credits", Decimal("-50.00")),
]


def close_september(company: billing.Company) -> None:
    """One subscription to a plan with every model, a month of usage over HTTP, and its close."""
    plan = billing.make_plan("everything", finance=company.finance, fee="49", meter=None)
    price(company, plan, "support", "flat", amount="20", billed="in_advance")
    for name, model, params, _ in METERED:
        meter = company.meter
        if name != meter.code:
            meter = billing.make_meter(name, event_type=name, owner=company.meter.owner)
        billing.set_price(plan, meter=meter, model=model, params=params, finance=company.finance)
    price(company, plan, "discount", "plan_discount", discount_percent="10")
    price(company, plan, "minimum", "commitment", minimum_amount="1400")
    price(company, plan, "credits", "prepaid_credits", opening_balance="50", credit_rate="1")
    billing.subscribe_to(company, billing.make_customer("acme"), plan=plan, since=SEPTEMBER)
    send([each for *_, uses in METERED for each in uses], prefix="september")
    close(OCTOBER)


def require_every_model_explained(text: str) -> None:
    """What the printed invoice says of amounts, and how it came to them."""
    for said in ("Volume-fee", "900.33", "Minimum", "121.86", "-144.24", "1,370.00", "260.30", "1,630.30"):
        assert said in text, said
    for step in (
        "1.3 % and 2 for each event",
        "region eu",
        "Credits used: 50 of 50",
        "rounded up to whole units: 6",
        "Included: 2",
    ):
        assert step in text, step


def require_every_model_walked(finance: ApiClient, invoice: dict[str, Any]) -> None:
    """Parts of what was split, and what lines over other lines stand on."""
    payments = walk(finance, invoice, "Payments")
    assert [part["quantity"] for part in payments["parts"]["results"]] == ["50", "100", "250", "400"]
    storage = walk(finance, invoice, "Storage")
    assert [(part["properties"], part["quantity"]) for part in storage["parts"]["results"]] == [
        ({"class": "gold", "region": "eu"}, "10"),
        ({"class": "silver", "region": "eu"}, "5"),
    ]
    compute = walk(finance, invoice, "Compute")
    assert [(part["bucket"][:10], part["quantity"]) for part in compute["parts"]["results"]] == [
        ("2026-09-13", "90"),
        ("2026-09-14", "120"),
    ]
    minimum = walk(finance, invoice, "Minimum")
    assert [other["charge"] for other in minimum["stands_on"]][-1] == "discount"
    assert len(minimum["stands_on"]) == 16  # all but the fee of October, and the credits that come after it
    tokens = walk(finance, invoice, "Tokens")
    assert [other["charge"] for other in tokens["carries"]] == ["discount", "minimum", "credits"]


def test_a_month_of_every_charge_model_from_http_to_the_printed_invoice_and_back(company: billing.Company) -> None:
    close_september(company)
    assert lines_of(SEPTEMBER) == SEPTEMBER_LINES
    finance, invoice = issue(company, SEPTEMBER)
    assert (invoice["status"], invoice["number"]) == ("final", "INV-000001")
    assert (invoice["subtotal"], invoice["tax"], invoice["total"]) == ("1370.00", "260.30", "1630.30")
    require_every_model_explained(printed(finance, invoice))
    require_every_model_walked(finance, invoice)
    require_sound_books(invoice)


def test_late_usage_of_a_percentage_and_of_a_dimensional_price_is_billed_as_the_whole_month_would_have_been(
    company: billing.Company,
) -> None:
    names = ("payments", "storage")
    billing.subscribe_to(company, billing.make_customer("acme"), plan=plan_with(company, names), since=SEPTEMBER)
    send([each for name, *_, uses in METERED if name in names for each in uses], prefix="september")
    close(OCTOBER)
    assert lines_of(SEPTEMBER) == [("Payments", Decimal("11.15")), ("Storage", Decimal("25.00"))]
    issue(company, SEPTEMBER)

    send(
        [("payments", 2, {"units": 100}), ("storage", 15, {"units": 3, "region": "eu", "class": "gold"})], prefix="late"
    )
    close(NOVEMBER)
    # 100, 50 and 100 are free now: 1.3 % of 250 + 2.00 and of 400 + 2.00 is 12.45; and 3 × 2.00 more.
    assert lines_of(OCTOBER) == [
        ("Payments", Decimal("0.00")),
        ("Storage", Decimal("0.00")),
        ("Adjustment of 2026-09-01 to 2026-09-30: Payments", Decimal("1.30")),
        ("Adjustment of 2026-09-01 to 2026-09-30: Storage", Decimal("6.00")),
    ]
    finance, invoice = issue(company, OCTOBER)
    assert (invoice["subtotal"], invoice["total"]) == ("7.30", "8.69")
    text = printed(finance, invoice)
    assert "corrects INV-000001, line 1" in text
    assert "Less what was billed before" in text
    walked = walk(finance, invoice, "Adjustment of 2026-09-01 to 2026-09-30: Payments")
    assert [part["quantity"] for part in walked["parts"]["results"]] == ["100", "50", "100", "250", "400"]
    require_sound_books(invoice)


def test_a_commitment_is_trued_up_for_each_plan_of_a_month_with_a_change_of_plan(company: billing.Company) -> None:
    small, large = (
        plan_with(company, ["tokens"], code="small"),
        billing.make_plan("large", finance=company.finance, fee="60", meter=company.meter, unit_amount="0.01"),
    )
    price(company, small, "pledge", "commitment", minimum_amount="30")
    price(company, large, "pledge", "commitment", minimum_amount="300")
    subscription = billing.subscribe_to(company, billing.make_customer("acme"), plan=small, since=SEPTEMBER)
    change = datetime(2026, 9, 11, tzinfo=UTC)
    subscribe.change_plan(
        subscription=subscription, plan=large, effective_at=change, actor=company.finance, at=SEPTEMBER
    )
    send([("tokens", 3, {"units": 1000}), ("tokens", 20, {"units": 500})], prefix="september")
    close(OCTOBER)
    assert lines_of(SEPTEMBER) == [
        ("Tokens", Decimal("2.00")),  # 1,000 × 0.002 by the 10th
        ("Base", Decimal("40.00")),  # 60.00 × 20/30
        ("Tokens", Decimal("5.00")),  # 500 × 0.01 since the 11th
        ("Pledge", Decimal("8.00")),  # 30.00 × 10/30 = 10.00, of which 2.00 were used
        ("Pledge", Decimal("155.00")),  # 300.00 × 20/30 = 200.00, of which 45.00 were used
    ]
    finance, invoice = issue(company, SEPTEMBER)
    assert (invoice["subtotal"], invoice["total"]) == ("210.00", "249.90")
    text = printed(finance, invoice)
    assert "Minimum of 300, for 20 of 30 days; used 45" in text
    require_sound_books(invoice)
