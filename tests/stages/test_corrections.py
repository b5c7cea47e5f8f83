"""Corrections: amended and cancelled events leave every count from their correction's watermark on."""

from decimal import Decimal
from typing import Any

import pytest

from core import personal_keys
from metering import aggregate, quarantine, queries, watermark
from metering.ingest import CaptureResult
from metering.invariants import INVARIANTS
from metering.models import (
    AggregationSnapshot,
    CaptureBatch,
    EventCorrection,
    Meter,
    QuarantinedEvent,
    UsageEvent,
    Watermark,
)
from metering.queries import LateWindow
from metering.rules.windows import UsageWindow
from tests.builders import guards, usage
from tests.builders.usage import NOON

pytestmark = pytest.mark.django_db
START, MIDDLE, END = (usage.datetime(2026, month, 1, tzinfo=usage.UTC) for month in (3, 4, 5))


@pytest.fixture(autouse=True)
def house() -> None:
    usage.house()
    send(tokens("a", 100), tokens("b", 40))


def tokens(event_id: str, count: int, *, day: str = "2026-03-02", **attributes: Any) -> dict[str, Any]:
    data = {"input_tokens": count, "output_tokens": 1}
    return usage.event(event_id, **{"time": f"{day}T11:00:00Z", "data": data, **attributes})


def amend(event_id: str, corrects: str, count: int, **attributes: Any) -> dict[str, Any]:
    return tokens(event_id, count, corrects=corrects, correction="amend", **attributes)


def cancel(event_id: str, corrects: str, **attributes: Any) -> dict[str, Any]:
    return usage.event(event_id, corrects=corrects, correction="cancel", **{"data": None, **attributes})


def send(*events: dict[str, Any]) -> CaptureResult:
    return usage.capture(*events, at=END)


def codes(result: CaptureResult) -> list[str]:
    return [reason.code for item in result.items for reason in item.reasons]


def mark() -> Watermark:
    return Watermark.objects.create(seq=watermark.find_last_seq(), fixed_at=NOON)


def window(start: usage.datetime = START, end: usage.datetime = MIDDLE) -> UsageWindow:
    return UsageWindow(usage.customer().pk, Meter.objects.get().pk, start, end)


def snapshot(start: usage.datetime = START, end: usage.datetime = MIDDLE) -> AggregationSnapshot:
    return aggregate.take_snapshots([window(start, end)], watermark=mark(), at=NOON)[0]


def measured() -> tuple[Decimal, int]:
    (found,) = aggregate.preview_snapshots([window()], at=NOON)
    (row,) = queries.live_usage(
        customer_id=usage.customer().pk, meter=Meter.objects.get(), start=START, end=MIDDLE
    ).rows
    assert (row.quantity, row.event_count) == (found.quantity, found.event_count)
    return found.quantity, found.event_count


def test_an_amendment_counts_instead_of_what_it_amends() -> None:
    assert send(amend("a2", "a", 70)).accepted == 1
    assert measured() == (110, 2)


def test_a_cancellation_needs_no_data_and_leaves_nothing() -> None:
    assert send(cancel("x", "a")).accepted == 1
    assert measured() == (40, 1)
    send(cancel("y", "b", data={"anything": ["at", "all"]}))
    assert measured() == (0, 0)


def test_both_stay_raw() -> None:
    send(amend("a2", "a", 70, correctionreason="counted twice by the proxy"))
    stored = UsageEvent.objects.order_by("seq").values_list("event_id", "data__input_tokens")
    assert list(stored) == [("a", 100), ("b", 40), ("a2", 70)]
    assert personal_keys.open_within(UsageEvent.objects.get(event_id="a2").extras) == {
        "corrects": "a",
        "correction": "amend",
        "correctionreason": "counted twice by the proxy",
    }


def test_an_amendment_counts_at_its_own_time() -> None:
    send(amend("a2", "a", 70, day="2026-04-02"))
    march, april = snapshot(), snapshot(MIDDLE, END)
    assert (march.quantity, april.quantity) == (40, 70)


def test_a_snapshot_at_an_earlier_watermark_keeps_its_count() -> None:
    before = snapshot()
    send(cancel("x", "a"))
    assert (before.quantity, before.event_count) == (140, 2)
    again = queries.recount([before])[before.pk]
    assert (again.quantity, again.event_count, again.digest) == (140, 2, before.digest)
    assert [row.event_id for row in queries.snapshot_events(before)] == ["a", "b"]


def test_a_snapshot_at_a_later_watermark_is_recounted_and_listed_without_what_was_corrected() -> None:
    send(amend("a2", "a", 70), cancel("x", "b"))
    taken = snapshot()
    assert (taken.quantity, taken.event_count) == (70, 1)
    again = queries.recount([taken])[taken.pk]
    assert (again.quantity, again.event_count, again.digest) == (70, 1, taken.digest)
    assert [row.event_id for row in queries.snapshot_events(taken)] == ["a2"]
    assert [row.event_id for row in queries.iterate_snapshot_events(taken)] == ["a2"]


@pytest.mark.parametrize(
    ("aggregation", "value_property", "expected"),
    [("count", "", 2), ("max", "input_tokens", 70), ("last", "input_tokens", 70), ("unique_count", "input_tokens", 2)],
)
def test_every_aggregation_leaves_it_out(aggregation: str, value_property: str, expected: int) -> None:
    made = usage.meter("other", value_property=value_property, aggregation=aggregation)
    send(amend("a2", "a", 70))
    wanted = UsageWindow(usage.customer().pk, made.pk, START, MIDDLE)
    (taken,) = aggregate.take_snapshots([wanted], watermark=mark(), at=NOON)
    assert taken.quantity == expected
    assert queries.recount([taken])[taken.pk].quantity == expected


def test_a_correction_after_the_close_makes_both_windows_late() -> None:
    march, april = snapshot(), snapshot(MIDDLE, END)
    assert queries.late_windows() == []
    send(amend("a2", "a", 70, day="2026-04-02"))
    assert queries.late_windows() == [LateWindow(march.pk, 1), LateWindow(april.pk, 1)]
    assert queries.late_windows(watermark=march.watermark) == []
    later = mark()
    aggregate.take_adjustment_snapshots([march, april], watermark=later, at=NOON)
    assert queries.late_windows() == []


def test_a_late_event_that_was_cancelled_before_anybody_counted_it_is_not_late() -> None:
    snapshot()
    send(tokens("late", 5))
    send(cancel("x", "late"))
    assert queries.late_windows() == []


def test_a_cancelled_event_is_no_usage_without_a_price() -> None:
    send(cancel("x", "a"), cancel("y", "b"))
    period = queries.CustomerPeriod(usage.customer().pk, START, MIDDLE)
    assert queries.stray_usage([period], windows=[], watermark=mark()) == []


def test_an_unknown_event_is_not_corrected_and_its_correction_waits() -> None:
    result = send(cancel("x", "later"))
    assert codes(result) == ["corrected_unknown"]
    send(tokens("later", 7))
    waiting = QuarantinedEvent.objects.get()
    assert quarantine.release_event(quarantine_id=waiting.pk, actor=usage.person("enza"), at=NOON).outcome == "accepted"
    assert measured() == (140, 2)


def test_an_event_of_another_source_customer_or_type_is_not_corrected() -> None:
    usage.customer("zeta")
    usage.contract("llm.images", billing_fields=["input_tokens"])
    assert codes(send(cancel("x", "a", source="api/us"))) == ["corrected_unknown"]
    assert codes(send(cancel("x", "a", subject="zeta"))) == ["corrected_other"]
    assert codes(send(cancel("x", "a", type="llm.images"))) == ["corrected_other"]
    assert not EventCorrection.objects.exists()


def test_an_event_is_corrected_once_and_then_its_correction_is_what_can_be_corrected() -> None:
    send(amend("a2", "a", 70))
    held = send(amend("a3", "a", 60))
    assert held.items[0].reasons[0].detail == (
        "The event was corrected before; correct 'a2' instead, which stands for it now."
    )
    assert send(amend("a3", "a2", 60)).accepted == 1
    assert measured() == (100, 2)


def test_a_correction_sent_again_is_a_duplicate_and_with_another_body_a_conflict() -> None:
    send(amend("a2", "a", 70))
    assert send(amend("a2", "a", 70)).duplicates == 1
    assert codes(send(amend("a2", "a", 71))) == ["conflict"]
    assert codes(send(tokens("a2", 70))) == ["conflict"]


def test_an_event_and_its_corrections_may_come_in_one_delivery() -> None:
    result = send(amend("c2", "c", 8), tokens("c", 9), amend("c3", "c2", 7), cancel("x", "b"), cancel("z", "nothing"))
    assert (result.accepted, result.quarantined) == (4, 1)
    assert measured() == (107, 2)
    batch = CaptureBatch.objects.latest("id")
    assert (batch.received, batch.accepted, batch.quarantined) == (5, 4, 1)
    assert set(UsageEvent.objects.filter(batch=batch).values_list("event_id", flat=True)) == {"c", "c2", "c3", "x"}
    ends = UsageEvent.objects.filter(batch=batch).order_by("seq").values_list("seq", flat=True)
    assert (batch.first_seq, batch.last_seq) == (ends[0], ends[3])


def test_an_amendment_must_be_a_billable_event_itself() -> None:
    assert codes(send(amend("a2", "a", 70, data={"output_tokens": 1}))) == ["billing_field_missing"]
    assert measured() == (140, 2)


def test_corrections_are_kept_and_the_database_allows_one_per_event() -> None:
    send(amend("a2", "a", 70))
    assert guards.keeps_its_rows(EventCorrection)
    again = """
        INSERT INTO metering_eventcorrection
        (seq, since_seq, kind, customer_id, contract_id, occurred_at, since_occurred_at)
        SELECT seq + {event}, since_seq + {correction}, kind, customer_id, contract_id, occurred_at, since_occurred_at
        FROM metering_eventcorrection
    """
    assert guards.refuses(again.format(event=0, correction=1))
    assert guards.refuses(again.format(event=1, correction=0))


def test_the_corrected_events_of_a_snapshot_are_told_with_their_correction_and_why() -> None:
    send(amend("a2", "a", 70, correctionreason="counted twice"), cancel("x", "b"))
    taken = snapshot()
    amended, cancelled = queries.snapshot_corrections(taken)
    assert (amended.event_id, amended.action, amended.by_event_id, amended.why) == ("a", "amend", "a2", "counted twice")
    assert (amended.data["input_tokens"], amended.by_data["input_tokens"]) == (100, 70)
    assert (cancelled.event_id, cancelled.action, cancelled.by_event_id, cancelled.why) == ("b", "cancel", "x", "")


def test_nothing_is_said_against_corrections_by_the_invariants() -> None:
    send(amend("a2", "a", 70), cancel("x", "b"))
    snapshot()
    assert [offender for invariant in INVARIANTS for offender in invariant.find_offenders()] == []
