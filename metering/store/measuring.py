"""Count windows from raw events, any number at once: one look at each for all counts, digests and totals.

What is more than a total (a last value, different values, levels) takes one more statement per kind of aggregation.
Windows are measured together by contract, and levels apart from the rest, because they look back to the first event.
The number of statements depends on these and on the kinds, never on how many windows, customers or filters there are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg import sql

from metering.rules import aggregation, exact_json
from metering.rules.aggregation import Ratio, Span
from metering.rules.readings import WEIGHED, Reading
from metering.rules.windows import EVER, UsageWindow
from metering.store import measured_value, one_look
from metering.store.one_look import Total, Totalled

NO_EVENTS = aggregation.digest([])


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterReading:
    """Which events a meter reads, and how."""

    contract_id: int
    reading: Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowMeasure:
    """What a window holds: all events of it make count and digest, those with a usable value the quantity.

    `first_seq` is the number of the event that was captured first, 0 where there is none.
    """

    quantity: Decimal
    event_count: int
    unmeasured_count: int
    digest: str
    first_seq: int = 0


# A table with statistics, because the planner knows nothing of the rows of an array: with it, a close of everybody
# reads the events once from end to end, and a close of one customer goes by the index.
_STAGE = """
CREATE TEMPORARY TABLE measured_window (
    number int, stretch int, is_first boolean, customer_id bigint, contract_id bigint, is_recurring boolean, kind text,
    value_property text, operation_property text, filters jsonb, arrival_sign int, span tstzrange,
    starts_at timestamptz, ends_at timestamptz, first_day date, end_day date, zone text, properties text[]
) ON COMMIT DROP
"""

_OF_KIND = sql.SQL("{events} AND w.kind = %(kind)s").format(events=one_look.EVENTS)
_STATEMENTS = {name: kind.select(_OF_KIND).as_string() for name, kind in measured_value.KINDS.items()}
_LOOKED_AT = one_look.FUNCTIONS.keys() | {"count"}  # every other kind needs more than one look can give


def measure_windows(windows: Sequence[tuple[UsageWindow, MeterReading]], *, up_to_seq: int) -> list[WindowMeasure]:
    """Measure each window as its meter reads, in their order, over the events accepted up to `up_to_seq`."""
    if not windows:
        return []
    staged = _stage(windows)
    passes = [_Pass(*key, list(own)) for key, own in groupby(sorted(staged, key=_pass_of), key=_pass_of)]
    found = _Found()
    with transaction.atomic(), connection.cursor() as cursor:
        _write_stage(passes)
        # By contract, so that the planner knows how many events each join will meet.
        for one in passes:
            _measure_pass(cursor, one, found, up_to_seq=up_to_seq)
        cursor.execute("DROP TABLE measured_window")
    return [_put_together(each, found) for each in staged]


def _measure_pass(cursor: CursorWrapper, one: "_Pass", found: "_Found", *, up_to_seq: int) -> None:
    bounds: dict[str, Any] = {
        "contract_id": one.contract_id,
        "is_recurring": one.is_recurring,
        "first": EVER if one.is_recurring else min(each.window.start for each in one.staged),
        "last": max(each.window.end for each in one.staged),
        "up_to_seq": up_to_seq,
    }
    for look in one_look.plan_looks(one.totals):
        cursor.execute(look.statement, bounds)
        for stretch, events, digest, first_seq, *columns in cursor.fetchall():
            found.counted[stretch] = events, digest, first_seq
            found.totals.setdefault(stretch, {}).update(look.read(columns))
    for kind in sorted({each.kind for each in one.staged} - _LOOKED_AT):
        cursor.execute(_STATEMENTS[kind], bounds | {"kind": kind})
        found.read.update({number: _Read(*rest) for number, *rest in cursor.fetchall()})


@dataclass(frozen=True, slots=True)
class _Staged:
    """A window with its number, and that of the first window over the same events: these share count and digest."""

    number: int
    stretch: int
    window: UsageWindow
    meter: MeterReading

    @property
    def kind(self) -> str:
        return kind_of(self.meter.reading)

    @property
    def total(self) -> Total | None:
        return one_look.total_of(self.kind, self.meter.reading.value_property)


@dataclass(frozen=True, slots=True)
class _Pass:
    """Windows that are measured together, and what their meters make of the events."""

    contract_id: int
    is_recurring: bool
    staged: list[_Staged]

    @property
    def totals(self) -> set[Total]:
        return {total for each in self.staged if (total := each.total) is not None}


@dataclass(frozen=True, slots=True)
class _Read:
    """What the statement of a kind found in a window; the quantity is not divided yet."""

    unmeasured_count: int
    quantity: Decimal
    measured_count: int


@dataclass(frozen=True, slots=True)
class _Found:
    """Counts, digests, first numbers and totals by stretch, and by window what took a statement of its own."""

    counted: dict[int, tuple[int, str, int]] = field(default_factory=dict)
    totals: dict[int, dict[Total, Totalled]] = field(default_factory=dict)
    read: dict[int, _Read] = field(default_factory=dict)


def kind_of(reading: Reading) -> str:
    """Give the kind of statement that measures it: counting what is held needs the last event of each value."""
    if reading.aggregation == "unique_count" and reading.operation_property:
        return "unique_count held"
    return reading.aggregation


def _pass_of(staged: _Staged) -> tuple[int, bool]:
    return staged.meter.contract_id, staged.meter.reading.is_recurring


def _stage(windows: Sequence[tuple[UsageWindow, MeterReading]]) -> list[_Staged]:
    first: dict[tuple[Any, ...], int] = {}
    staged = []
    for number, (window, meter) in enumerate(windows):
        events = (meter.contract_id, meter.reading.filters, meter.reading.is_recurring)
        stretch = first.setdefault((window.customer_id, window.start, window.end, *events), number)
        staged.append(_Staged(number, stretch, window, meter))
    return staged


def _write_stage(passes: Iterable[_Pass]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_STAGE)
        with cursor.copy("COPY measured_window FROM STDIN") as copy:
            for one in passes:
                properties = one_look.properties_of(one.totals)
                wanted = _wanted_by_stretch(one.staged)
                for each in one.staged:
                    copy.write_row(
                        (*_row(each), [name if name in wanted[each.stretch] else None for name in properties])
                    )
        cursor.execute("ANALYZE measured_window")


def _wanted_by_stretch(staged: Iterable[_Staged]) -> dict[int, set[str]]:
    """Say which properties are read in each stretch: not everybody is billed by every meter."""
    wanted: dict[int, set[str]] = {}
    for each in staged:
        names = wanted.setdefault(each.stretch, set())
        if each.total is not None:
            names.add(each.total.value_property)
    return wanted


def _row(each: _Staged) -> tuple[Any, ...]:
    window, reading = each.window, each.meter.reading
    since = counts_since(window, reading)
    return (
        each.number,
        each.stretch,
        each.number == each.stretch,
        window.customer_id,
        each.meter.contract_id,
        reading.is_recurring,
        each.kind,
        reading.value_property,
        reading.operation_property,
        filters_parameter(reading),
        arrival_sign(reading),
        f"[{since.isoformat()},{window.end.isoformat()})",
        window.start,
        window.end,
        *_days(window.span, reading),
        window.zone,
    )


def _days(span: Span, reading: Reading) -> tuple[Any, Any]:
    """Only levels by the day need to know where days begin, which costs more than all the rest."""
    if reading.aggregation in WEIGHED:
        return span.day_of(span.start), span.day_of(span.end)
    return None, None


def counts_since(window: UsageWindow, reading: Reading) -> datetime:
    """Give from when on events count for this window: a level is made of all there were before its end."""
    return EVER if reading.is_recurring else window.start


def filters_parameter(reading: Reading) -> str | None:
    """Write the conditions as the one value that statements are given; None where every event counts."""
    if not reading.filters:
        return None
    return exact_json.write([one.as_parameter() for one in reading.filters]).decode()


def arrival_sign(reading: Reading) -> int:
    """Say whether of events of one instant the last received counts as later, or the first."""
    return -1 if reading.tie_break == "first_received" else 1


def _put_together(each: _Staged, found: _Found) -> WindowMeasure:
    events, digest, first_seq = found.counted.get(each.stretch, (0, NO_EVENTS, 0))
    read = _find_read(each, found, events=events)
    if read is None:
        quantity = Decimal(events) if each.kind == "count" else aggregation.ZERO
        return WindowMeasure(
            quantity=quantity, event_count=events, unmeasured_count=0, digest=digest, first_seq=first_seq
        )
    reading = each.meter.reading
    ratio = ratio_of(read.quantity, measured_count=read.measured_count, reading=reading, span=each.window.span)
    return WindowMeasure(
        quantity=aggregation.quantity_of(ratio, reading=reading),
        event_count=events,
        unmeasured_count=read.unmeasured_count,
        digest=digest,
        first_seq=first_seq,
    )


def _find_read(each: _Staged, found: _Found, *, events: int) -> _Read | None:
    if each.total is None:
        return found.read.get(each.number)
    total = found.totals.get(each.stretch, {}).get(each.total)
    return None if total is None else _Read(events - total.measured_count, total.quantity, total.measured_count)


def ratio_of(quantity: Decimal | int, *, measured_count: int, reading: Reading, span: Span) -> Ratio:
    """Say what a quantity from a statement is to be divided by."""
    if reading.aggregation == "average":
        return Ratio(Decimal(quantity), Decimal(measured_count or 1))
    if reading.aggregation == "time_weighted_sum":
        return Ratio(Decimal(quantity), span.period_length)
    if reading.aggregation in WEIGHED:
        return Ratio(Decimal(quantity), Decimal(span.period_days))
    return Ratio(Decimal(quantity))
