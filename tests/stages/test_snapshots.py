"""Snapshots: what was counted at a watermark, once for ever, for any number of customers."""

import hashlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from metering import aggregate, queries, watermark
from metering.aggregate import UsageWindow
from metering.models import AggregationSnapshot, Meter, UsageEvent, Watermark
from tests.builders import guards, usage

pytestmark = pytest.mark.django_db

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
APRIL = datetime(2026, 4, 1, tzinfo=UTC)
CLOSING = datetime(2026, 4, 1, 6, tzinfo=UTC)


@pytest.fixture(autouse=True)
def house() -> None:
    usage.house()


def window(
    code: str = "input-tokens", *, customer: str = "acme", start: datetime = MARCH, end: datetime = APRIL
) -> UsageWindow:
    return UsageWindow(usage.customer(customer).pk, Meter.objects.get(code=code).pk, start, end)


def use(
    event_id: str, tokens: object, *, at: str = "2026-03-02T11:00:00Z", customer: str = "acme", **data: Any
) -> None:
    usage.customer(customer)
    result = usage.capture(
        usage.event(event_id, time=at, subject=customer, data={"input_tokens": tokens, "output_tokens": 0, **data}),
        at=CLOSING,
    )
    assert result.accepted == 1


def take(*windows: UsageWindow) -> list[AggregationSnapshot]:
    return aggregate.take_snapshots(windows, watermark=watermark.fix_watermark(at=CLOSING), at=CLOSING)


def digest_of(*event_ids: str) -> str:
    marks = dict(UsageEvent.objects.values_list("event_id", "fingerprint"))
    return hashlib.sha256(b"".join(bytes(marks[event_id]) for event_id in event_ids)).hexdigest()


def read_also(*names: str) -> None:
    """Put a version in force that requires these properties too, whatever their type."""
    wanted = ["input_tokens", "output_tokens", *names]
    schema = {"type": "object", "properties": dict.fromkeys(wanted, True)}
    usage.contract(schema=schema, billing_fields=wanted)


def test_a_snapshot_holds_the_sum_the_count_and_the_digest_in_capture_order() -> None:
    read_also()
    use("b", Decimal("0.1"), at="2026-03-09T00:00:00Z")
    use("a", "0.2", at="2026-03-02T00:00:00Z")
    (snapshot,) = take(window())
    snapshot.refresh_from_db()
    assert (snapshot.quantity, snapshot.event_count, snapshot.unmeasured_count) == (Decimal("0.3"), 2, 0)
    assert snapshot.digest == digest_of("b", "a")
    assert (snapshot.kind, snapshot.taken_at, snapshot.retired_at) == ("cycle", CLOSING, None)


def test_a_window_begins_at_its_start_and_ends_before_its_end() -> None:
    use("before", 1, at="2026-02-28T23:59:59.999999Z")
    use("first", 10, at="2026-03-01T00:00:00Z")
    use("last", 100, at="2026-03-31T23:59:59.999999Z")
    use("after", 1000, at="2026-04-01T00:00:00Z")
    (snapshot,) = take(window())
    assert (snapshot.quantity, snapshot.event_count) == (110, 2)


def test_every_kind_of_aggregation_reads_its_own_value() -> None:
    usage.meter("requests", aggregation="count", value_property="")
    usage.meter("peak", aggregation="max")
    usage.meter("level", aggregation="last")
    read_also("model")
    usage.meter("models", aggregation="unique_count", value_property="model")
    use("a", 7, at="2026-03-05T00:00:00Z", model="small")
    use("b", 9, at="2026-03-03T00:00:00Z", model="large")
    use("c", "-8", at="2026-03-04T00:00:00Z", model="small")
    codes = ["input-tokens", "requests", "peak", "level", "models"]
    assert [snapshot.quantity for snapshot in take(*map(window, codes))] == [8, 3, 9, 7, 2]


def test_last_takes_the_greater_identity_where_time_and_arrival_are_equal() -> None:
    usage.meter("level", aggregation="last")
    data = [{"input_tokens": tokens, "output_tokens": 0} for tokens in (7, 9, 8)]
    usage.capture(*(usage.event(event_id, data=one) for event_id, one in zip("bca", data, strict=True)))
    (snapshot,) = take(window("level"))
    assert snapshot.quantity == 9


def test_a_window_without_events_gets_a_snapshot_of_nothing() -> None:
    (snapshot,) = take(window())
    assert (snapshot.quantity, snapshot.event_count, snapshot.digest) == (0, 0, hashlib.sha256().hexdigest())


def test_snapshots_come_in_the_order_of_their_windows() -> None:
    use("a", 5, customer="zeta")
    use("b", 3)
    usage.meter("requests", aggregation="count", value_property="")
    middle = datetime(2026, 3, 10, tzinfo=UTC)
    wanted = [
        window(customer="zeta"),
        window(start=middle),
        window("requests", customer="zeta"),
        window(end=middle),
        window("requests"),
    ]
    assert [snapshot.quantity for snapshot in take(*wanted)] == [5, 0, 1, 3, 1]


def test_only_events_of_the_meter_s_own_contract_count() -> None:
    use("a", 3)
    usage.contract("llm.other")
    usage.capture(usage.event("b", type="llm.other"))
    (snapshot,) = take(window())
    assert snapshot.event_count == 1


def test_an_event_captured_after_the_watermark_is_not_in_the_snapshot() -> None:
    use("a", 3)
    mark = watermark.fix_watermark(at=CLOSING)
    use("b", 4)
    (snapshot,) = aggregate.take_snapshots([window()], watermark=mark, at=CLOSING)
    assert (snapshot.quantity, snapshot.digest) == (3, digest_of("a"))


def test_a_window_that_has_a_live_snapshot_keeps_it() -> None:
    use("a", 3)
    (first,) = take(window())
    use("b", 4)
    again, other = take(window(), window(customer="zeta"))
    assert (again.pk, again.quantity, other.quantity) == (first.pk, 3, 0)
    assert AggregationSnapshot.objects.count() == 2


def test_a_window_named_twice_is_counted_once() -> None:
    first, again = take(window(), window())
    assert first.pk == again.pk


def test_no_window_gives_no_snapshot() -> None:
    assert take() == []


def test_a_window_that_overlaps_a_live_one_is_refused() -> None:
    take(window())
    with pytest.raises(aggregate.WindowTakenError, match=r"input-tokens of acme .* overlaps snapshot"):
        take(window(start=datetime(2026, 3, 15, tzinfo=UTC)))
    assert AggregationSnapshot.objects.count() == 1


def test_a_retired_window_is_counted_anew() -> None:
    use("a", 3)
    (first,) = take(window())
    aggregate.retire_snapshots([first.pk], at=CLOSING)
    use("b", 4)
    (second,) = take(window())
    assert (second.pk != first.pk, second.quantity) == (True, 7)
    first.refresh_from_db()
    assert (first.retired_at, first.quantity) == (CLOSING, 3)


def test_a_snapshot_is_retired_once() -> None:
    (snapshot,) = take(window())
    aggregate.retire_snapshots([snapshot.pk], at=CLOSING)
    aggregate.retire_snapshots([snapshot.pk], at=CLOSING + timedelta(days=1))
    snapshot.refresh_from_db()
    assert snapshot.retired_at == CLOSING


def test_an_adjustment_counts_the_same_window_as_known_later() -> None:
    use("a", 3)
    (base,) = take(window())
    use("late", 4)
    mark = watermark.fix_watermark(at=CLOSING)
    (adjustment,) = aggregate.take_adjustment_snapshots([base], watermark=mark, at=CLOSING)
    assert (adjustment.kind, adjustment.corrects_id) == ("adjustment", base.pk)
    assert (adjustment.quantity, adjustment.event_count) == (7, 2)
    (again,) = aggregate.take_adjustment_snapshots([base], watermark=mark, at=CLOSING)
    assert again.pk == adjustment.pk


def test_an_event_from_before_its_meter_is_counted_apart_when_it_lacks_the_value() -> None:
    values: list[object] = [1, "2.5", "many", None, True, [3], Decimal("1e300"), Decimal("0." + "1" * 19), "1e2"]
    for number, seconds in enumerate(values):
        use(f"e{number}", 1, seconds=seconds)
    read_also("seconds")
    usage.meter("seconds", value_property="seconds")
    (snapshot,) = take(window("seconds"))
    assert (snapshot.quantity, snapshot.event_count, snapshot.unmeasured_count) == (Decimal("3.5"), 9, 7)
    assert queries.recount([snapshot])[snapshot.pk].quantity == Decimal("3.5")


def test_a_total_beyond_what_is_billed_exactly_is_refused_by_name() -> None:
    use("a", 10**15)
    use("b", 1)
    with pytest.raises(aggregate.QuantityOutOfRangeError, match=r"input-tokens of acme adds up to 1\.000000000000001E"):
        take(window())


def test_a_preview_stores_nothing() -> None:
    use("a", 3)
    (preview,) = aggregate.preview_snapshots([window()], at=CLOSING)
    assert (preview.quantity, preview.event_count, preview.pk) == (3, 1, None)
    assert not AggregationSnapshot.objects.exists()
    assert not Watermark.objects.exists()


def test_statements_do_not_grow_with_customers() -> None:
    def statements(count: int, *, start: datetime, end: datetime) -> int:
        wanted = [window(customer=f"c{number}", start=start, end=end) for number in range(count)]
        mark = watermark.fix_watermark(at=CLOSING)
        with CaptureQueriesContext(connection) as counted:
            snapshots = aggregate.take_snapshots(wanted, watermark=mark, at=CLOSING)
            queries.recount(snapshots)
        return len(counted)

    assert statements(2, start=MARCH, end=APRIL) == statements(40, start=APRIL, end=CLOSING)


def test_a_watermark_is_fixed_in_a_transaction_of_its_own(transactional_db: None) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        watermark.fix_watermark(at=CLOSING)


def test_a_watermark_names_the_last_accepted_event() -> None:
    assert watermark.fix_watermark(at=CLOSING).seq == 0
    use("a", 3)
    mark = watermark.fix_watermark(at=CLOSING)
    assert (mark.seq, mark.fixed_at) == (UsageEvent.objects.get().seq, CLOSING)


@pytest.mark.parametrize(
    "change",
    [
        "quantity = quantity + 1",
        "event_count = 5",
        "unmeasured_count = 5",
        "digest = repeat('0', 64)",
        "window_end = window_end + interval '1 day'",
        "watermark_id = watermark_id + 1",
    ],
)
def test_what_was_counted_cannot_be_changed(change: str) -> None:
    take(window())
    assert guards.refuses(f"UPDATE metering_aggregationsnapshot SET {change}")  # noqa: S608  a text of this test


def test_snapshots_and_watermarks_are_kept() -> None:
    (snapshot,) = take(window())
    aggregate.retire_snapshots([snapshot.pk], at=CLOSING)
    assert guards.keeps_its_rows(AggregationSnapshot)
    assert guards.keeps_its_rows(Watermark)
    assert guards.refuses("UPDATE metering_aggregationsnapshot SET retired_at = NULL")
    assert guards.refuses("UPDATE metering_watermark SET seq = seq + 1")


def test_a_snapshot_knows_where_its_events_begin_and_reading_starts_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        use(f"other-{number}", 1, customer="other")
    use("first", 5, at="2026-03-20T00:00:00Z")
    use("between", 1, customer="other")
    use("second", 7, at="2026-03-02T00:00:00Z")
    use("outside", 1, at="2026-02-02T00:00:00Z")
    counted, empty = take(window(), window(customer="nobody"))
    assert counted.first_seq == UsageEvent.objects.get(event_id="first").seq
    assert empty.first_seq == 0
    monkeypatch.setattr("metering.store.reading.PAGED_BY_INDEX_MAX", 0)
    with CaptureQueriesContext(
        connection,
    ) as seen:
        page = queries.snapshot_events(counted, after_seq=0, limit=10)
    assert [row.event_id for row in page] == ["first", "second"]
    assert f"e.seq > {counted.first_seq - 1}" in seen.captured_queries[-1]["sql"]
    rest = queries.snapshot_events(counted, after_seq=page[0].seq, limit=10)
    assert [row.event_id for row in rest] == ["second"]
