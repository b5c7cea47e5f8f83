"""Corrections of events whose month lies in a file: billed back, listed and told like those of the table."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from invoicing.cycle.models import Invoice
from metering import archive, queries
from metering.models import AggregationSnapshot
from metering.queries import LateWindow
from metering.rules.arrivals import Arrived
from metering.store import partitions
from tests.builders import billing, correcting

OCTOBER, NOVEMBER = date(2026, 10, 1), date(2026, 11, 1)
LATER = datetime(2027, 3, 1, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


@pytest.fixture
def company(transactional_db: None, tmp_path: Path, settings: Any) -> Iterator[billing.Company]:
    settings.EVENT_ARCHIVE = str(tmp_path)
    partitions.forget_months()
    made = billing.open_company()
    correcting.price_large_events(made)
    yield made
    partitions.forget_months()


@pytest.fixture
def invoice(company: billing.Company) -> Invoice:
    """1,000 and 500 tokens at 0.002, of which the 1,000 are large and 0.01 each; their month goes into a file."""
    made = billing.issue(company, [billing.billed_customer(company)])[0]
    archive.detach_month(month=OCTOBER, at=LATER)
    return made


@pytest.fixture
def amended(company: billing.Company) -> AggregationSnapshot:
    """What October counted: 1,000 tokens, for the 500 became 400 of November; both months go into files."""
    billing.subscribe_to(company, billing.make_customer("acme"))
    billing.use("acme", ("e1", billing.day(3), 1000), ("e2", billing.day(20), 500))
    correcting.correct("e2", when=billing.day(1, month=11), units=400, at=billing.CLOSING)
    billing.close_october()
    for month in (OCTOBER, NOVEMBER):
        archive.detach_month(month=month, at=LATER)
    return counted("tokens")


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


def test_an_event_corrected_from_outside_of_its_window_is_told_with_its_correction(
    amended: AggregationSnapshot,
) -> None:
    (told,) = queries.snapshot_corrections(amended)
    assert (told.event_id, told.data, told.action) == ("e2", {"units": 500}, "amend")
    assert (told.by_event_id, told.by_data, told.by_occurred_at) == ("c1", {"units": 400}, billing.day(1, month=11))
    assert queries.snapshot_corrections(amended, after_seq=told.seq) == []


def test_a_correction_from_outside_of_the_time_asked_for_counts_from_its_arrival(amended: AggregationSnapshot) -> None:
    (told,) = queries.snapshot_corrections(amended)
    assert known(amended, before=told.by_received_at + MOMENT) == 1000
    assert known(amended, before=told.by_received_at) == 1500


def known(snapshot: AggregationSnapshot, *, before: datetime) -> Decimal:
    found = queries.live_usage(
        customer_id=snapshot.customer_id,
        meter=snapshot.meter,
        start=billing.OCTOBER,
        end=billing.NOVEMBER,
        arrived=Arrived(before=before),
    )
    return found.rows[0].quantity


def test_the_lines_of_evidence_hold_a_correction_from_outside_of_the_window(amended: AggregationSnapshot) -> None:
    stream = queries.EvidenceStream(
        customer_id=amended.customer_id,
        customer_code="acme",
        contract_id=amended.meter.contract_id,
        event_type="usage",
        start=billing.OCTOBER,
        end=billing.NOVEMBER,
        up_to_seq=amended.watermark.seq,
    )
    assert [json.loads(line)["id"] for line in queries.evidence_lines(stream)] == ["e1", "e2", "c1"]
