"""A month of raw events in a file is counted, traced and proved as in the table, and comes back unchanged."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client
from django.urls import reverse

from billing_ops.management.commands import check_invariants
from compliance.evidence import events, trace
from core.models import AuditEntry
from invoicing.cycle.models import Invoice
from metering import aggregate, archive, ingest, lookup, minutes, queries, rollup_repair, rollups, watermark
from metering.models import AggregationSnapshot, ArrivalMinute, EventArchive, EventKey, RollupSeries, UsageEvent
from metering.store import elsewhere, partitions, postgres
from metering.store.archive_files import ArchiveUnreadableError
from tests.builders import billing, guards, stores, usage

OCTOBER = date(2026, 10, 1)
LATER = datetime(2027, 3, 1, tzinfo=UTC)


@pytest.fixture
def invoice(transactional_db: None, tmp_path: Path, settings: Any) -> Iterator[Invoice]:
    """1,000 and 500 tokens at 0.002 in October; the file goes where the test looks, the table comes back after it."""
    settings.EVENT_ARCHIVE = str(tmp_path)
    partitions.forget_months()
    company = billing.open_company()
    yield billing.issue(company, [billing.billed_customer(company)])[0]
    partitions.forget_months()


def detach() -> EventArchive:
    return archive.detach_month(month=OCTOBER, at=LATER)


def snapshot_of(invoice: Invoice) -> AggregationSnapshot:
    return AggregationSnapshot.objects.get(kind="cycle", event_count__gt=0, customer=invoice.customer_id)


def usage_line(invoice: Invoice) -> trace.Trace:
    return trace.trace_line(line_id=invoice.lines.get(meter_code="tokens").pk)


def offences() -> dict[str, list[str]]:
    found = {one.name: list(one.find_offenders()) for one in check_invariants.all_invariants()}
    return {name: offenders for name, offenders in found.items() if offenders}


def listed(**wanted: Any) -> tuple[list[str], str | None]:
    with lookup.listing(**wanted) as found:
        return [event.event_id for event in found.events.order_by("seq")], found.not_listed


def test_a_narrow_list_has_the_events_of_a_file_and_a_wide_one_says_what_it_lacks(invoice: Invoice) -> None:
    detach()
    month = {"customer": "acme", "start": billing.OCTOBER, "end": billing.NOVEMBER}
    assert listed(**month) == (["e1", "e2"], None)
    assert listed(start=billing.day(3), end=billing.day(4)) == (["e1"], None)
    assert listed(source="/meter/acme", id="e2") == (["e2"], None)
    assert listed(start=billing.NOVEMBER) == ([], None)
    for wide in ({}, {"customer": "acme"}, {"start": billing.OCTOBER, "end": billing.NOVEMBER}):
        events, lacks = listed(**wide)
        assert events == []
        assert lacks is not None
        assert "lie in files" in lacks


def test_the_back_office_finds_and_shows_an_event_of_a_file(invoice: Invoice, client: Client) -> None:
    detach()
    client.force_login(billing.person("olaf", "engineering"))
    seq = EventKey.objects.get(event_id="e1").seq
    found = client.get(reverse("admin:metering_usageevent_changelist"), {"q": "e1"}).content.decode()
    assert reverse("admin:metering_usageevent_change", args=[seq]) in found
    shown = client.get(reverse("admin:metering_usageevent_change", args=[seq]))
    assert shown.status_code == 200
    assert "1000" in shown.content.decode()
    assert client.get(reverse("admin:metering_usageevent_change", args=[999999])).status_code == 302


def rows_in_table() -> list[Any]:
    return list(UsageEvent.objects.order_by("seq").values())


def test_the_events_leave_the_table_for_the_file(invoice: Invoice, tmp_path: Path) -> None:
    made = detach()
    assert rows_in_table() == []
    assert OCTOBER not in partitions.find_months()
    (path,) = tmp_path.iterdir()
    table = pq.read_table(path)
    assert (path.name, table.num_rows) == (made.file_name, 2)
    assert table.column("data").to_pylist() == ['{"units": 1000}', '{"units": 500}']
    assert AuditEntry.objects.get(action="events.month_detached").facts["sha256"] == made.file_sha256


def test_a_line_is_traced_through_the_file(invoice: Invoice) -> None:
    before = usage_line(invoice)
    detach()
    after = usage_line(invoice)
    assert after.is_equal
    assert [(check.step, check.found) for check in after.checks] == [
        (check.step, check.found) for check in before.checks
    ]


def test_its_events_are_found_by_page_and_by_id(invoice: Invoice) -> None:
    detach()
    snapshot = snapshot_of(invoice)
    page = events.page_of_events(snapshot, after_seq=0, limit=1)
    assert [(found.row.value, found.is_as_captured) for found in page.events] == [(Decimal(1000), True)]
    assert page.next_after is not None
    (found,) = events.find_events(snapshot, event_id="e2").events
    assert (found.row.value, found.is_as_captured) == (Decimal(500), True)


def test_an_event_is_found_by_its_identity(invoice: Invoice) -> None:
    detach()
    assert lookup.find_event("/meter/acme/e1").data == {"units": 1000}


def test_it_is_recounted_from_the_file(invoice: Invoice) -> None:
    detach()
    snapshot = snapshot_of(invoice)
    again = queries.recount([snapshot])[snapshot.pk]
    assert (again.quantity, again.event_count, again.digest) == (1500, 2, snapshot.digest)


def test_usage_is_shown_with_what_came_since(invoice: Invoice) -> None:
    detach()
    billing.use("acme", ("new", billing.day(20), 7))
    meter = snapshot_of(invoice).meter
    shown = queries.live_usage(
        customer_id=invoice.customer_id, meter=meter, start=billing.OCTOBER, end=billing.NOVEMBER
    )
    assert [(row.quantity, row.event_count) for row in shown.rows] == [(1507, 3)]


def test_what_came_late_is_found_and_its_window_counted_with_the_file(invoice: Invoice) -> None:
    detach()
    billing.use("acme", ("new", billing.day(20), 7))
    (late,) = queries.late_windows()
    assert (late.snapshot_id, late.event_count) == (snapshot_of(invoice).pk, 1)
    billing.close_november()
    corrected = AggregationSnapshot.objects.get(corrects=late.snapshot_id)
    assert (corrected.quantity, corrected.event_count) == (1507, 3)


def test_a_repeat_is_a_duplicate_and_another_content_a_conflict(invoice: Invoice) -> None:
    detach()
    with pytest.raises(AssertionError, match="duplicate"):
        billing.use("acme", ("e1", billing.day(3), 1000))
    with pytest.raises(AssertionError, match="conflict"):
        billing.use("acme", ("e1", billing.day(3), 1001))
    assert UsageEvent.objects.count() == 0


def test_an_event_in_the_file_is_cancelled(invoice: Invoice) -> None:
    detach()
    cancelling = {
        "specversion": "1.0",
        "source": "/meter/acme",
        "id": "c1",
        "type": "usage",
        "subject": "acme",
        "time": billing.day(20).isoformat(),
        "corrects": "e2",
        "correction": "cancel",
    }
    result = ingest.capture_events([cancelling], channel="http", origin="test", at=billing.NEXT_CLOSING)
    assert result.accepted == 1, result.items
    billing.close_november()
    assert AggregationSnapshot.objects.get(kind="adjustment").quantity == 1000


def test_a_minute_that_is_recorded_late_has_the_lag_of_events_in_the_file(invoice: Invoice) -> None:
    detach()
    minutes.record_minutes(until=minutes.floor_minute(postgres.read_clock()) + minutes.MINUTE)
    assert sum(row.lag_count or 0 for row in ArrivalMinute.objects.filter(stream=None)) == 2


def test_the_invariants_hold_over_the_file(invoice: Invoice) -> None:
    detach()
    assert offences() == {}


def test_a_changed_file_is_refused(invoice: Invoice, tmp_path: Path) -> None:
    detach()
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(ArchiveUnreadableError, match="is not the file that was written"):
        usage_line(invoice)


def test_a_missing_file_is_named(invoice: Invoice, tmp_path: Path) -> None:
    made = detach()
    (path,) = tmp_path.iterdir()
    path.unlink()
    with pytest.raises(ArchiveUnreadableError, match=made.file_name):
        queries.recount([snapshot_of(invoice)])


def test_nothing_appears_below_a_watermark_once_the_highest_event_is_in_a_file(invoice: Invoice) -> None:
    last = watermark.find_last_seq()
    detach()
    assert watermark.find_last_seq() == last


def test_a_month_comes_back_as_it_was(invoice: Invoice) -> None:
    before = rows_in_table()
    made = detach()
    archive.attach_month(month=OCTOBER, at=LATER)
    assert rows_in_table() == before
    assert OCTOBER in partitions.find_months()
    assert guards.refuses("DELETE FROM metering_usageevent")
    made.refresh_from_db()
    assert made.attached_at == LATER
    assert offences() == {}


def test_a_month_is_put_away_again_with_what_came_since(invoice: Invoice) -> None:
    detach()
    billing.use("acme", ("new", billing.day(20), 7))
    billing.close_november()
    archive.detach_month(month=OCTOBER, at=LATER.replace(hour=1))
    assert rows_in_table() == []
    assert [row.event_count for row in elsewhere.find_archives(*elsewhere.ALWAYS)] == [2, 1]
    assert offences() == {}
    archive.attach_month(month=OCTOBER, at=LATER)
    assert UsageEvent.objects.count() == 3


def test_late_usage_is_billed_before_its_month_goes(invoice: Invoice) -> None:
    billing.use("acme", ("new", billing.day(20), 7))
    with pytest.raises(archive.MonthNotDetachableError, match="acme has late usage in 2026-10"):
        detach()


def test_late_usage_of_a_level_is_billed_before_a_month_goes_from_which_it_lasts(
    transactional_db: None, tmp_path: Path, settings: Any
) -> None:
    settings.EVENT_ARCHIVE = str(tmp_path)
    partitions.forget_months()
    usage.house()
    level = usage.meter("level", is_recurring=True)
    april, may = (datetime(2026, month, 1, tzinfo=UTC) for month in (4, 5))
    window = aggregate.UsageWindow(usage.customer().pk, level.pk, april, may)
    aggregate.take_snapshots([window], watermark=watermark.fix_watermark(at=may), at=may)
    usage.capture(usage.event("late", time="2026-03-02T11:00:00Z"))
    with pytest.raises(archive.MonthNotDetachableError, match="acme has late usage in 2026-03"):
        archive.detach_month(month=date(2026, 3, 1), at=LATER)


def test_an_event_that_comes_while_the_file_is_written_stops_it(
    invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = archive.archive_files.write_file

    def write_slowly(*call: Any) -> tuple[int, str]:
        done = write(*call)
        billing.use("acme", ("meanwhile", datetime(2026, 10, 31, 12, tzinfo=UTC), 7))
        return done

    monkeypatch.setattr(archive.archive_files, "write_file", write_slowly)
    monkeypatch.setattr(archive, "_require_nothing_late", lambda _month: None)
    with pytest.raises(archive.MonthNotDetachableError, match="came or went while its file was written"):
        detach()
    assert UsageEvent.objects.count() == 3
    assert not EventArchive.objects.exists()


def test_a_month_that_somebody_else_put_away_meanwhile_is_not_put_away_twice(
    invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = archive.archive_files.write_file

    def write_beside_somebody_else(*call: Any) -> tuple[int, str]:
        done = write(*call)
        monkeypatch.undo()
        archive.detach_month(month=OCTOBER, at=LATER.replace(hour=1))
        partitions.add_month(OCTOBER)
        return done

    monkeypatch.setattr(archive.archive_files, "write_file", write_beside_somebody_else)
    with pytest.raises(archive.MonthNotDetachableError, match="came or went while its file was written"):
        detach()
    assert EventArchive.objects.count() == 1
    assert usage_line(invoice).is_equal


@pytest.mark.parametrize(
    ("month", "at", "says"),
    [
        (date(2019, 1, 1), LATER, "There is no table of events for 2019-01"),
        (OCTOBER, datetime(2026, 10, 31, 23, tzinfo=UTC), "2026-10 has not ended"),
    ],
)
def test_a_month_that_cannot_go_stays(invoice: Invoice, month: date, at: datetime, says: str) -> None:
    with pytest.raises(archive.MonthNotDetachableError, match=says):
        archive.detach_month(month=month, at=at)


def test_in_a_transaction_a_month_stays_until_its_end(invoice: Invoice) -> None:
    snapshot = snapshot_of(invoice)
    with transaction.atomic():
        queries.recount([snapshot])
        assert stores.months_kept_in_place() == 1


def test_the_commands_put_away_and_bring_back(invoice: Invoice, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("event_months", "detach", "2026-10")
    assert "2 events in" in capsys.readouterr().out
    with pytest.raises(CommandError, match="no table of events for 2026-10"):
        call_command("event_months", "detach", "2026-10")
    call_command("event_months", "attach", "2026-10")
    assert "2 events are back" in capsys.readouterr().out
    with pytest.raises(CommandError, match="nothing to bring back"):
        call_command("event_months", "attach", "2026-10")


def live_total(invoice: Invoice, start: datetime, end: datetime) -> tuple[Decimal, str]:
    meter = snapshot_of(invoice).meter
    found = queries.live_usage(customer_id=invoice.customer_id, meter=meter, start=start, end=end)
    return found.rows[0].quantity, found.read_from


def test_live_totals_stay_whether_their_sums_were_made_before_or_after(invoice: Invoice) -> None:
    odd = datetime(2026, 10, 1, 0, 30, tzinfo=UTC), datetime(2026, 10, 31, 23, 30, tzinfo=UTC)
    whole = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
    raw = [live_total(invoice, *stretch)[0] for stretch in (odd, whole)]
    rollups.roll_up()
    detach()
    assert [live_total(invoice, *stretch) for stretch in (odd, whole)] == [(each, "rollups") for each in raw]
    assert rollup_repair.find_differences() == []
    RollupSeries.objects.all().delete()
    rollups.roll_up()
    assert [live_total(invoice, *stretch) for stretch in (odd, whole)] == [(each, "rollups") for each in raw]
