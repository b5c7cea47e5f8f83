"""The main job on real input: a public trace of requests to a language model, imported to exact totals."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import transaction

from metering import aggregate, importing, queries, watermark
from metering.aggregate import UsageWindow
from metering.import_forms import ImportRequest
from metering.models import QuarantinedEvent, UsageEvent
from metering.rules import import_rows
from tests.builders import usage

TRACE = Path(__file__).parents[2].parent / "shared" / "data" / "azure-llm-2023" / "conv.csv"
NOW = datetime(2026, 11, 20, tzinfo=UTC)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not TRACE.exists(), reason=f"the trace is not part of the project and not at {TRACE}"),
]


def load() -> tuple[int, int, int]:
    columns = import_rows.read_column_map(
        ["time=TIMESTAMP", "data.input_tokens=ContextTokens", "data.output_tokens=GeneratedTokens"]
    )
    request = ImportRequest(
        path=TRACE, form="csv", customer_code="acme", event_type=usage.EVENT_TYPE, source="trace", columns=columns
    )
    run = importing.import_file(request=request, at=NOW).run
    return run.accepted, run.duplicates, run.quarantined


def test_a_trace_of_19366_requests_gives_exactly_its_tokens_however_often_it_is_imported() -> None:
    usage.house()
    usage.contract(past_days=1826)  # three years back is within what a contract accepts by default
    meters = [
        usage.meter("in", value_property="input_tokens"),
        usage.meter("out", value_property="output_tokens"),
        usage.meter("requests", aggregation="count", value_property=""),
    ]
    assert load() == (19_366, 0, 0)
    assert load() == (0, 19_366, 0)
    assert UsageEvent.objects.count() == 19_366
    assert not QuarantinedEvent.objects.exists()

    start, end = datetime(2023, 11, 1, tzinfo=UTC), datetime(2023, 12, 1, tzinfo=UTC)
    windows = [UsageWindow(usage.customer().pk, meter.pk, start, end) for meter in meters]
    mark = watermark.fix_watermark(at=NOW)
    with transaction.atomic():
        snapshots = aggregate.take_snapshots(windows, watermark=mark, at=NOW)
        assert [snapshot.quantity for snapshot in snapshots] == [22_361_870, 4_088_665, 19_366]
        assert {snapshot.event_count for snapshot in snapshots} == {19_366}
        again = queries.recount(snapshots)
        assert [again[snapshot.pk].quantity for snapshot in snapshots] == [22_361_870, 4_088_665, 19_366]
        transaction.set_rollback(True)  # counted to compare: nobody bills these, and no snapshot may stand unbilled


def test_the_ends_of_the_trace_keep_their_time_to_the_microsecond() -> None:
    usage.house()
    load()
    times = UsageEvent.objects.order_by("occurred_at").values_list("occurred_at", flat=True)
    assert times[0] == datetime(2023, 11, 16, 18, 15, 46, 680590, tzinfo=UTC)
    assert times[19_365] == datetime(2023, 11, 16, 19, 14, 8, 402527, tzinfo=UTC)
