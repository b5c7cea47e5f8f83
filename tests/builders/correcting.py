"""Corrections of what a small company counted, and a second meter of it that measures only large events."""

from datetime import datetime
from typing import Any

from metering import ingest, meters
from metering.ingest import CaptureResult
from metering.models import Meter
from tests.builders import billing

LARGE = {"property": "units", "operator": "range", "from": 600}


def price_large_events(company: billing.Company) -> Meter:
    """Units of events with 600 or more: 0.01 each, beside what the plan charges for all of them."""
    meter = meters.create_meter(
        code="large",
        name="Large",
        definition="Units of large events.",
        exclusions="Events below 600 units.",
        unit="unit",
        contract=company.meter.contract,
        aggregation="sum",
        value_property="units",
        filters=[LARGE],
        owner=company.meter.owner,
    )
    billing.set_price(
        company.plan, meter=meter, model="standard", params={"unit_amount": "0.01"}, finance=company.finance
    )
    return meter


def correct(
    target: str, *, when: datetime, by: str = "c1", units: int | None = None, at: datetime = billing.NEXT_CLOSING
) -> CaptureResult:
    """Cancel an event of acme, or amend it to so many units."""
    event: dict[str, Any] = {
        "specversion": "1.0",
        "source": "/meter/acme",
        "id": by,
        "type": "usage",
        "subject": "acme",
        "time": when.isoformat(),
        "corrects": target,
        "correction": "cancel" if units is None else "amend",
    }
    if units is not None:
        event["data"] = {"units": units}
    result = ingest.capture_events([event], channel="http", origin="test", at=at)
    assert result.accepted == 1, result.items
    return result
