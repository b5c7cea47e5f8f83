"""Backfills: seen by nobody while they wait, looked at line by line, then captured or gone."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from billing_ops.management.commands import check_invariants
from core.errors import NotAllowedError
from core.models import AuditEntry, Job
from invoicing.cycle import backfill, delta_decide, move
from invoicing.cycle.models import DeltaReport, Invoice
from metering import backfills
from metering import queries as metering_queries
from metering.models import AggregationSnapshot, Backfill, EventKey, StagedEvent, UsageEvent, Watermark
from metering.rules import reasons
from metering.rules.reading import Unreadable
from tests.builders import billing
from tests.builders.billing import NEXT_CLOSING, NOVEMBER, OCTOBER, day

pytestmark = pytest.mark.django_db
LATER = NEXT_CLOSING + timedelta(hours=1)
REASON = "The proxy kept a day of logs."


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


@pytest.fixture
def october(company: billing.Company) -> Invoice:
    """Issued: 49.00 and 1,500 tokens, 3.00; from the events e1 and e2."""
    return billing.issue(company, [billing.billed_customer(company)])[0]


def event(event_id: str, when: datetime, units: Any, *, customer: str = "acme") -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "source": f"/meter/{customer}",
        "id": event_id,
        "type": "usage",
        "subject": customer,
        "time": when.isoformat(),
        "data": {"units": units},
    }


def fill(*events: dict[str, Any], name: str = "logs-of-october") -> Backfill:
    ops = billing.person("olga", "ops")
    backfills.create_backfill(name=name, reason=REASON, actor=ops, at=NEXT_CLOSING)
    return backfills.stage_events(name=name, deliveries=list(events), actor=ops)


def inspect(name: str = "logs-of-october") -> DeltaReport:
    return backfill.inspect_backfill(name=name, actor=billing.person("olga", "ops"), at=NEXT_CLOSING)


def approve(company: billing.Company, report: DeltaReport) -> Backfill:
    delta_decide.approve_report(
        report_id=report.pk, content_hash=report.content_hash, reason=REASON, actor=company.finance, at=LATER
    )
    assert report.backfill is not None
    assert Job.objects.filter(kind="metering.capture_backfill", key=report.backfill.name).exists()
    return backfills.capture_backfill(backfill_id=report.backfill.pk, at=LATER)


def offences() -> dict[str, list[str]]:
    found = {one.name: list(one.find_offenders()) for one in check_invariants.all_invariants()}
    return {name: offenders for name, offenders in found.items() if offenders}


def test_what_is_staged_is_no_usage(company: billing.Company, october: Invoice) -> None:
    fill(event("b1", day(25), 250))
    assert StagedEvent.objects.count() == 1
    assert not UsageEvent.objects.filter(event_id="b1").exists()
    assert not EventKey.objects.filter(event_id="b1").exists()
    assert metering_queries.late_windows() == []
    live = metering_queries.live_usage(
        customer_id=october.customer_id, meter=company.meter, start=OCTOBER, end=NOVEMBER
    )
    assert sum(row.quantity for row in live.rows) == 1500


def test_its_report_says_what_would_change_and_nothing_stays_of_the_trial(
    company: billing.Company, october: Invoice
) -> None:
    fill(event("b1", day(25), 250), event("e1", day(3), 1000), event("b2", day(26), "many"))
    before = (UsageEvent.objects.count(), Watermark.objects.count(), AggregationSnapshot.objects.count())
    report = inspect()
    assert (report.kind, report.status, str(report.author)) == ("backfill", "proposed", "olga")
    assert "Of 3 events 1 are new, 1 known already and 1 would be held back" in report.reason
    row = report.rows.get()
    assert (row.customer.code, row.cause, row.corrects) == ("acme", "backfill", october.lines.get(position=2))
    assert (row.before_quantity, row.before_amount, row.before_events) == (1500, Decimal("3.00"), 2)
    assert (row.after_quantity, row.after_amount, row.after_events) == (1750, Decimal("3.50"), 3)
    after = (UsageEvent.objects.count(), Watermark.objects.count(), AggregationSnapshot.objects.count())
    assert after == before
    assert offences() == {}


def test_lines_that_are_drafted_are_shown_too(company: billing.Company) -> None:
    billing.billed_customer(company)
    fill(event("b1", day(25), 250))
    row = inspect().rows.get()
    assert (row.description, row.before_amount, row.after_amount) == ("Draft: Tokens", Decimal("3.00"), Decimal("3.50"))


def test_approved_it_is_captured_and_becomes_an_adjustment(company: billing.Company, october: Invoice) -> None:
    fill(event("b1", day(25), 250), event("e1", day(3), 1000), event("b2", day(26), "many"))
    done = approve(company, inspect())
    assert (done.status, done.accepted, done.duplicates, done.quarantined) == ("approved", 1, 1, 1)
    assert done.captured_at is not None
    assert not StagedEvent.objects.exists()
    assert UsageEvent.objects.get(event_id="b1").batch.origin == "backfill logs-of-october"
    billing.close_november(at=LATER)
    line = Invoice.objects.get(period_start=NOVEMBER).lines.get(adjusts__isnull=False)
    assert (line.adjusts, line.quantity, line.amount) == (october.lines.get(position=2), 250, Decimal("0.50"))
    assert offences() == {}


def test_captured_once_more_it_adds_nothing(company: billing.Company, october: Invoice) -> None:
    fill(event("b1", day(25), 250))
    done = approve(company, inspect())
    again = backfills.capture_backfill(backfill_id=done.pk, at=LATER)
    assert (again.accepted, again.captured_at) == (1, done.captured_at)


def test_rejected_it_is_gone_but_for_the_record(company: billing.Company, october: Invoice) -> None:
    fill(event("b1", day(25), 250))
    report = inspect()
    delta_decide.reject_report(report_id=report.pk, reason="counted twice", actor=company.finance, at=LATER)
    batch = Backfill.objects.get()
    assert (batch.status, batch.staged, batch.decision_reason) == ("reverted", 1, "counted twice")
    assert len(batch.digest) == 64
    assert not StagedEvent.objects.exists()
    assert not UsageEvent.objects.filter(event_id="b1").exists()
    actions = AuditEntry.objects.filter(subject=f"backfill:{batch.pk}").order_by("id").values_list("action", flat=True)
    assert list(actions) == ["backfill.created", "backfill.sealed", "backfill.reverted"]
    assert offences() == {}


def test_who_made_it_does_not_approve_it(october: Invoice) -> None:
    fill(event("b1", day(25), 250))
    report = inspect()
    olga = billing.person("olga", "ops", "finance")
    with pytest.raises(move.SamePersonError):
        delta_decide.approve_report(
            report_id=report.pk, content_hash=report.content_hash, reason=REASON, actor=olga, at=LATER
        )


def test_sealed_it_takes_no_more_events(october: Invoice) -> None:
    fill(event("b1", day(25), 250))
    inspect()
    olga = billing.person("olga", "ops")
    with pytest.raises(backfills.BackfillClosedError):
        backfills.stage_events(name="logs-of-october", deliveries=[event("b2", day(25), 1)], actor=olga)
    with pytest.raises(DatabaseError, match="takes no events"), transaction.atomic():
        StagedEvent.objects.create(backfill=Backfill.objects.get(), position=2, content="{}")


def test_its_events_wait_for_a_decision(october: Invoice) -> None:
    fill(event("b1", day(25), 250))
    inspect()
    with pytest.raises(DatabaseError, match="wait for a decision"), transaction.atomic():
        StagedEvent.objects.all().delete()


def test_an_open_one_can_be_dropped_by_whoever_fills_it(october: Invoice) -> None:
    fill(event("b1", day(25), 250))
    olga = billing.person("olga", "ops")
    dropped = backfill.drop_backfill(name="logs-of-october", reason="wrong file", actor=olga, at=LATER)
    assert (dropped.status, StagedEvent.objects.count()) == ("reverted", 0)


def test_a_name_is_used_once(october: Invoice) -> None:
    fill(event("b1", day(25), 250))
    with pytest.raises(backfills.BackfillExistsError):
        fill(event("b2", day(25), 250))


def test_product_fills_none(october: Invoice) -> None:
    with pytest.raises(NotAllowedError):
        backfills.create_backfill(name="mine", reason=REASON, actor=billing.person("pia", "product"), at=NEXT_CLOSING)


def test_what_is_no_event_is_refused_with_the_delivery(october: Invoice) -> None:
    fill(event("b1", day(25), 250))
    broken = Unreadable(raw="{", reasons=(reasons.reason("not_json", "It ends too early."),), event={})
    with pytest.raises(backfills.BackfillUnusableError):
        backfills.stage_events(
            name="logs-of-october",
            deliveries=[event("b2", day(25), 1), broken],
            actor=billing.person("olga", "ops"),
        )
    assert StagedEvent.objects.count() == 1
