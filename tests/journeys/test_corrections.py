"""From a wrong event to the next invoice: what was billed before is corrected by signed lines, and traced to why."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from compliance.evidence import events, trace
from invoicing.cycle import close
from invoicing.cycle.models import Invoice, InvoiceLine
from metering import ingest
from metering.ingest import CaptureResult
from tests.builders import billing
from tests.builders.billing import DECEMBER, NEXT_CLOSING, NOVEMBER, day

pytestmark = pytest.mark.django_db


def send(event_id: str, when: datetime, *, corrects: str, correction: str, units: int | None = None) -> CaptureResult:
    event: dict[str, Any] = {
        "specversion": "1.0",
        "source": "/meter/acme",
        "id": event_id,
        "type": "usage",
        "subject": "acme",
        "time": when.isoformat(),
        "corrects": corrects,
        "correction": correction,
        "correctionreason": "the proxy counted retries",
    }
    if units is not None:
        event["data"] = {"units": units}
    return ingest.capture_events([event], channel="http", origin="test", at=NEXT_CLOSING)


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


@pytest.fixture
def october(company: billing.Company) -> Invoice:
    """Issued: e1 of 1,000 tokens on the 3rd and e2 of 500 on the 20th at 0.002, 3.00; and a fee of 49.00."""
    return billing.issue(company, [billing.billed_customer(company)])[0]


def adjustments(period_start: datetime = NOVEMBER) -> list[InvoiceLine]:
    return list(InvoiceLine.objects.filter(invoice__period_start=period_start, adjusts__isnull=False).order_by("pk"))


def corrected_by(line: InvoiceLine) -> Invoice:
    assert line.adjusts is not None
    return line.adjusts.invoice


def test_usage_cancelled_after_the_invoice_is_given_back_on_the_next(
    company: billing.Company, october: Invoice
) -> None:
    assert send("x", day(5, month=11), corrects="e1", correction="cancel").accepted == 1
    billing.close_november()
    (line,) = adjustments()
    assert (corrected_by(line), line.quantity, line.amount) == (october, -1000, Decimal("-2.00"))
    assert line.invoice.subtotal == Decimal("47.00")  # 49.00 of November, less 2.00
    walked = trace.trace_line(line_id=line.pk)
    assert walked.is_equal
    assert walked.snapshot is not None
    (left_out,) = events.corrected_events(walked.snapshot)
    assert (left_out.event_id, left_out.data) == ("e1", {"units": 1000})
    assert (left_out.action, left_out.by_event_id, left_out.why) == ("cancel", "x", "the proxy counted retries")


def test_the_invoice_that_was_issued_still_follows_from_its_events(company: billing.Company, october: Invoice) -> None:
    send("x", day(5, month=11), corrects="e1", correction="cancel")
    billing.close_november()
    walked = trace.trace_line(line_id=october.lines.get(meter_code="tokens").pk)
    assert walked.is_equal
    assert walked.snapshot is not None
    assert [event.row.event_id for event in events.walk_events(walked.snapshot)] == ["e1", "e2"]
    assert events.corrected_events(walked.snapshot) == []


def test_usage_amended_upwards_is_charged_on_the_next(company: billing.Company, october: Invoice) -> None:
    assert send("e2b", day(20), corrects="e2", correction="amend", units=800).accepted == 1
    billing.close_november()
    (line,) = adjustments()
    assert (line.quantity, line.amount) == (300, Decimal("0.60"))  # 1,000 + 800 instead of 1,000 + 500
    assert line.invoice.subtotal == Decimal("49.60")


def test_usage_amended_into_another_closed_month_moves_from_one_invoice_to_the_other(
    company: billing.Company, october: Invoice
) -> None:
    billing.use("acme", ("n1", day(9, month=11), 2000), at=NEXT_CLOSING)
    billing.close_november()
    november = Invoice.objects.get(period_start=NOVEMBER)
    assert november.subtotal == Decimal("53.00")  # 49.00 and 2,000 × 0.002
    billing.issue(company, [november], at=NEXT_CLOSING)
    assert send("e1b", day(9, month=11), corrects="e1", correction="amend", units=600).accepted == 1
    january = datetime(2027, 1, 2, 8, tzinfo=billing.UTC)
    close.close_cycles(as_of=datetime(2027, 1, 1, tzinfo=billing.UTC), at=january)
    back, charged = adjustments(DECEMBER)
    assert (corrected_by(back), back.quantity, back.amount) == (october, -1000, Decimal("-2.00"))
    assert (corrected_by(charged), charged.quantity, charged.amount) == (november, 600, Decimal("1.20"))
    assert back.invoice.subtotal == Decimal("48.20")  # 49.00 − 2.00 + 1.20
    assert back.invoice.tie_outs.get().is_tied
