"""What customers owe or will owe by now: from sums of usage, drafts and the books."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from invoicing.cycle.models import Invoice
from invoicing.exposure import keep
from invoicing.exposure.models import Exposure, ExposureDay
from metering import ingest, rollups
from tests.builders import billing, off_cycle
from tests.builders.billing import NOVEMBER, day

pytestmark = pytest.mark.django_db
MID = datetime(2026, 11, 16, tzinfo=UTC)  # half of November has passed


def use(customer: str, *events: tuple[str, datetime, Any]) -> None:
    billing.use(customer, *events, at=MID)


def look(*, at: datetime = MID) -> keep.Round:
    rollups.roll_up()
    return keep.keep_exposures(at=at)


def exposure(code: str = "acme", currency: str = "EUR") -> Exposure:
    return Exposure.objects.get(customer__code=code, currency=currency)


def figures(row: Exposure) -> list[str]:
    return [str(getattr(row, name)) for name in ("unbilled", "drafted", "unpaid", "total")]


def test_running_usage_is_rated_with_its_fee_and_tax() -> None:
    """November so far: 49.00 + 2,000 × 0.002 = 53.00 net, 10.07 tax, 63.07."""
    company = billing.open_company()
    billing.subscribe_to(company, billing.make_customer("acme"), since=NOVEMBER)
    use("acme", ("n1", day(3, month=11), 2000))
    look()
    row = exposure()
    assert figures(row) == ["63.0700", "0.0000", "0.0000", "63.0700"]
    assert row.elapsed == Decimal("0.5")
    assert row.projected == Decimal("67.83")  # 49 + 8 = 57 net, 10.83 tax
    assert row.is_complete
    assert row.usage == [
        {"meter": "tokens", "quantity": "2000", "included": "0", "period_end": "2026-12-01T00:00:00+00:00"}
    ]
    (line,) = [one for one in row.inputs["bills"][0]["lines"] if one.get("meter")]
    assert (line["quantity"], line["amount"], line["read_from"]) == ("2000", "4.00", "sums")


def test_an_invoice_moves_from_unbilled_to_drafted_to_unpaid_and_nothing_is_lost() -> None:
    company = billing.open_company()
    billing.subscribe_to(company, billing.make_customer("acme"))
    use("acme", ("e1", day(3), 1000), ("e2", day(20), 500))
    look(at=datetime(2026, 11, 1, 1, tzinfo=UTC))
    assert figures(exposure()) == ["120.1900", "0.0000", "0.0000", "120.1900"]  # 61.88 for October, 58.31 for November
    billing.close_october()
    look(at=billing.CLOSING)
    assert figures(exposure()) == ["58.3100", "61.8800", "0.0000", "120.1900"]
    billing.issue(company, [Invoice.objects.get()])
    look(at=billing.CLOSING + timedelta(seconds=10))
    row = exposure()
    assert figures(row) == ["58.3100", "0.0000", "61.8800", "120.1900"]
    assert [one["total"] for one in row.past] == ["61.88"]


def test_what_was_paid_in_advance_is_no_exposure_and_is_used_once() -> None:
    """100.00 paid: 61.88 of it for October, the other 38.12 of November's 58.31 so far."""
    company = billing.open_company()
    subscription = billing.subscribe_to(company, billing.make_customer("acme"))
    use("acme", ("e1", day(3), 1000), ("e2", day(20), 500))
    billing.pay_in_advance(subscription, "100.00")
    look()
    row = exposure()
    assert figures(row) == ["20.1900", "0.0000", "0.0000", "20.1900"]
    assert [(one["payable"], one["prepaid"]) for one in row.inputs["bills"]] == [("0.00", "61.88"), ("20.19", "38.12")]
    assert row.projected == Decimal("20.19")  # nothing used in November: the fee and its tax, less what is left
    billing.close_october()
    look(at=MID + timedelta(seconds=10))
    assert figures(exposure()) == ["20.1900", "0.0000", "0.0000", "20.1900"]


def test_usage_to_come_is_projected_before_what_was_paid_in_advance_is_taken_off() -> None:
    """November: 53.00 net so far and 57.00 at its end, so 63.07 and 67.83 with tax; 60.00 was paid."""
    company = billing.open_company()
    subscription = billing.subscribe_to(company, billing.make_customer("acme"), since=NOVEMBER)
    use("acme", ("n1", day(3, month=11), 2000))
    billing.pay_in_advance(subscription, "60.00")
    look()
    assert (exposure().unbilled, exposure().projected) == (Decimal("3.07"), Decimal("7.83"))


def test_an_interim_invoice_moves_its_part_and_nothing_is_lost() -> None:
    """4.00 of usage, 4.76 with tax, is billed inside November; 58.31 for the fee is not."""
    company = billing.open_company()
    off_cycle.sign(off_cycle.threshold_terms("4.00"), since=NOVEMBER)
    billing.subscribe_to(company, billing.make_customer("acme"), since=NOVEMBER)
    use("acme", ("n1", day(3, month=11), 2000))
    [interim] = off_cycle.look(MID)
    look()
    assert figures(exposure()) == ["58.3100", "4.7600", "0.0000", "63.0700"]
    off_cycle.issue(company, interim, at=MID)
    look(at=MID + timedelta(seconds=90))
    row = exposure()
    assert figures(row) == ["58.3100", "0.0000", "4.7600", "63.0700"]
    (line,) = [one for one in row.inputs["bills"][0]["lines"] if one.get("meter")]
    assert (line["quantity"], line["rated"], line["amount"]) == ("2000", "4.00", "0.00")
    assert row.projected == Decimal("63.07")  # 67.83 in all, of which 4.76 is billed


def test_only_customers_with_new_usage_are_looked_at_again() -> None:
    company = billing.open_company()
    for code in ("acme", "beta"):
        billing.subscribe_to(company, billing.make_customer(code), since=NOVEMBER)
        use(code, (f"{code}-1", day(3, month=11), 1000))
    assert look().customers == 2
    use("beta", ("beta-2", day(4, month=11), 1000))
    assert look(at=MID + timedelta(seconds=10)).customers == 1
    assert exposure("acme").as_of == MID
    assert exposure("beta").as_of == MID + timedelta(seconds=10)
    assert look(at=MID + timedelta(seconds=20)).customers == 0


def test_old_figures_are_made_anew_because_prices_begin_with_time() -> None:
    company = billing.open_company()
    billing.subscribe_to(company, billing.make_customer("acme"), since=NOVEMBER)
    look()
    assert look(at=MID + timedelta(minutes=59)).customers == 0
    assert look(at=MID + timedelta(minutes=61)).customers == 1


def test_a_corrected_event_counts_as_corrected() -> None:
    company = billing.open_company()
    billing.subscribe_to(company, billing.make_customer("acme"), since=NOVEMBER)
    use("acme", ("n1", day(3, month=11), 2000))
    look()
    correct("acme", "n1", 1000)
    look(at=MID + timedelta(seconds=10))
    assert exposure().unbilled == Decimal("60.69")  # 51.00 net


def correct(customer: str, event_id: str, units: int) -> None:
    event = {
        "specversion": "1.0",
        "source": f"/meter/{customer}",
        "id": f"{event_id}-again",
        "type": "usage",
        "subject": customer,
        "time": day(3, month=11).isoformat(),
        "data": {"units": units},
        "corrects": event_id,
        "correction": "amend",
    }
    result = ingest.capture_events([event], channel="http", origin="test", at=MID)
    assert result.accepted == 1, result.items


def test_the_end_of_each_day_is_kept() -> None:
    company = billing.open_company()
    billing.subscribe_to(company, billing.make_customer("acme"), since=NOVEMBER)
    look()
    look(at=MID + timedelta(hours=2))
    look(at=MID + timedelta(days=1))
    assert ExposureDay.objects.count() == 2


@pytest.fixture
def crowd(request: Any) -> Any:
    """So many customers with one event each."""
    company = billing.open_company()

    def make(first: int, last: int) -> None:
        for number in range(first, last):
            billing.subscribe_to(company, billing.make_customer(f"c{number}"), since=NOVEMBER)
            use(f"c{number}", (f"c{number}", day(3, month=11), 1000))

    return make


def test_the_statements_do_not_grow_with_customers_or_events(crowd: Any) -> None:
    crowd(0, 2)
    look()
    crowd(2, 4)
    rollups.roll_up()
    with CaptureQueriesContext(connection) as few:
        keep.keep_exposures(at=MID + timedelta(seconds=10))
    crowd(4, 14)
    use("c5", *[(f"more-{number}", day(5, month=11), 1) for number in range(200)])
    rollups.roll_up()
    with CaptureQueriesContext(connection) as many:
        assert keep.keep_exposures(at=MID + timedelta(seconds=20)).customers == 10
    assert len(many) == len(few)


def test_no_statement_of_a_look_reads_events_of_a_time(crowd: Any) -> None:
    """The only one that names the events asks for the numbers that came since the last look."""
    crowd(0, 2)
    look()
    crowd(2, 4)
    rollups.roll_up()
    with CaptureQueriesContext(connection) as asked:
        keep.keep_exposures(at=MID + timedelta(seconds=10))
    on_events = [one["sql"] for one in asked if "metering_usageevent" in one["sql"]]
    assert len(on_events) == 1
    assert "seq >" in on_events[0]
    assert "seq <=" in on_events[0]
