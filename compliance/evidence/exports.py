"""The events behind a line as a file: one JSON object a line, or CSV; made while it is sent, in bounded memory."""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from core import csv_cells
from metering import queries as metering_queries
from metering.models import AggregationSnapshot
from metering.queries import EventRow
from metering.rules import exact_json
from metering.rules.instants import instant_text

ROWS = 1000
COLUMNS = ("seq", "source", "id", "time", "received_at", "value", "data", "fingerprint")
CONTENT_TYPES = {"ndjson": "application/x-ndjson", "csv": "text/csv"}


def events_as(form: str, snapshot: AggregationSnapshot | None) -> Iterator[bytes]:
    """Every event that the snapshot counted, in capture order; of a line without a snapshot none."""
    rows = iter(()) if snapshot is None else metering_queries.iterate_snapshot_events(snapshot)
    told = map(_facts, rows)
    return _ndjson(told) if form == "ndjson" else _csv(told)


def _facts(row: EventRow) -> dict[str, Any]:
    return {
        "seq": row.seq,
        "source": row.source,
        "id": row.event_id,
        "time": instant_text(row.occurred_at),
        "received_at": instant_text(row.received_at),
        "value": None if row.value is None else str(row.value),
        "data": row.data,
        "fingerprint": row.fingerprint.hex(),
    }


def _ndjson(events: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    while block := list(islice(events, ROWS)):
        yield b"".join(exact_json.write_in_order(each) + b"\n" for each in block)


def _csv(events: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    yield _rows([COLUMNS])
    while block := list(islice(events, ROWS)):
        yield _rows(_cells(each) for each in block)


def _cells(event: dict[str, Any]) -> list[str]:
    told = event | {"data": exact_json.write(event["data"]).decode(), "value": event["value"] or ""}
    return [csv_cells.inert(str(told[name])) for name in COLUMNS]


def _rows(rows: Iterable[Iterable[str]]) -> bytes:
    page = io.StringIO()
    csv.writer(page).writerows(rows)
    return page.getvalue().encode()
