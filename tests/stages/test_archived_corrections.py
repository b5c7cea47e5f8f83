"""Corrections of events whose month lies in a file: billed back, listed and told like those of the table."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from invoicing.cycle.models import Invoice
from metering import archive, queries
from metering.models import AggregationSnapshot
from metering.queries import LateWindow
from metering.store import partitions
from tests.builders import billing, correcting

OCTOBER = date(2026, 10, 1)
LATER = datetime(2027, 3, 1, tzinfo=UTC)


@pytest.fixture
def invoice(transactional_db: None, tmp_path: Path, settings: Any) -> Iterator[Invoice]:
    """1,000 and 500 tokens at 0.002, of which the 1,000 are large and 0.01 each; their month goes into a file."""
    settings.EVENT_ARCHIVE = str(tmp_path)
    partitions.forget_months()
    company = billing.open_company()
    correcting.price_large_events(company)
    made = billing.issue(company, [billing.billed_customer(company)])[0]
    archive.detach_month(month=OCTOBER, at=LATER)
    yield made
    partitions.forget_months()


def counted(code: str, kind: str = "cycle") -> AggregationSnapshot:
    return AggregationSnapshot.objects.get(meter__code=code, kind=kind, window_start=billing.OCTOBER)


def test_a_cancelled_event_of_a_meter_with_filters_is_late_and_billed_back(invoice: Invoice) -> None:
    assert invoice.lines.get(meter_code="large").amount == Decimal("10.00")
    correcting.correct("e1", when=billing.day(20))
    assert queries.late_windows() == [LateWindow(counted("tokens").pk, 1), LateWindow(counted("large").pk, 1)]
    billing.close_november()
    assert (counted("large", "adjustment").quantity, counted("tokens", "adjustment").quantity) == (0, 500)
    assert queries.late_windows() == []


def test_what_the_filter_had_left_out_is_not_late(invoice: Invoice) -> None:
    correcting.correct("e2", when=billing.day(20))
    assert queries.late_windows() == [LateWindow(counted("tokens").pk, 1)]


def test_an_amendment_that_the_filter_leaves_out_is_billed_back(invoice: Invoice) -> None:
    correcting.correct("e1", when=billing.day(20), units=400)
    billing.close_november()
    assert (counted("large", "adjustment").quantity, counted("tokens", "adjustment").quantity) == (0, 900)
