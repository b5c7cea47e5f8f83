"""Events in files or in another store are counted and traced like those in the table: they stand beside for a while."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import connection, transaction
from psycopg import sql

from core import locks
from metering.models import EventArchive, Store
from metering.store import archive_files, chosen, postgres_rows
from metering.store.protocol import COLUMNS, FIRST, LAST, Row, Span

ALWAYS = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
# A view of the table's own name, in the schema that every statement looks at first: whatever is asked of the events
# is asked of both, and no statement needs to know. It goes with its table when the transaction ends.
_STAND_BESIDE = sql.SQL(
    """
    CREATE TEMPORARY TABLE usageevent_elsewhere (LIKE {table}, PRIMARY KEY (seq)) ON COMMIT DROP;
    CREATE INDEX ON usageevent_elsewhere (customer_id, contract_id, occurred_at);
    CREATE TEMPORARY TABLE usageevent_loading (LIKE {table}) ON COMMIT DROP;
    CREATE TEMPORARY VIEW metering_usageevent AS
    SELECT {columns} FROM {table} UNION ALL SELECT {columns} FROM usageevent_elsewhere;
    """
)
# What was shipped and is still here as well is left out.
_TAKE_OVER = sql.SQL(
    """
    INSERT INTO usageevent_elsewhere SELECT * FROM usageevent_loading one
    WHERE NOT EXISTS (SELECT FROM {table} here WHERE here.seq = one.seq AND here.occurred_at = one.occurred_at)
    ON CONFLICT DO NOTHING;
    TRUNCATE usageevent_loading;
    ANALYZE usageevent_elsewhere;
    """
)
_SOURCES = """
SELECT coalesce((SELECT store FROM metering_storeswitch ORDER BY id DESC LIMIT 1), 'postgres'),
       archive.file_name, archive.file_sha256
FROM (SELECT 1) AS always
LEFT JOIN metering_eventarchive AS archive ON archive.attached_at IS NULL AND archive.month BETWEEN %s AND %s
ORDER BY archive.first_seq
"""
_IS_BESIDE = "SELECT to_regclass('pg_temp.usageevent_elsewhere') IS NOT NULL, current_schema()"
# One line for each close that counted, however many customers: what is late for any of them lies behind it.
_COUNTED = """
SELECT mark.seq, max(snapshot.window_end)
FROM metering_aggregationsnapshot AS snapshot JOIN metering_watermark AS mark ON mark.id = snapshot.watermark_id
WHERE snapshot.kind = 'cycle' AND snapshot.retired_at IS NULL
GROUP BY mark.seq ORDER BY mark.seq
"""
_NO_MONTHS = date.max, date.min
SEQS_AT_ONCE = 10_000
_COLUMNS = sql.SQL(", ").join(sql.Identifier(name) for name in COLUMNS)


@dataclass(frozen=True, slots=True)
class _Sources:
    """Where events of a time lie beside the table."""

    store: str
    files: list[tuple[str, str]]

    @property
    def are_any(self) -> bool:
        return bool(self.files) or self.store != Store.POSTGRES


@contextmanager
def showing(start: datetime, end: datetime, *, customer_ids: Sequence[int] | None = None) -> Iterator[None]:
    """Let every statement inside see the events of `[start, end)`, of these customers or of all, wherever they lie.

    In a transaction no event moves between table, file and store before its end, what is shown stays shown, and
    nothing can be captured after. Outside of one nobody keeps what is read.
    """
    customers = None if customer_ids is None else tuple(customer_ids)
    spans = [Span(start=max(start, FIRST), end=min(end, LAST), customer_ids=customers)]
    if connection.in_atomic_block:
        _show(_months(start, end), spans)
        yield
    elif _find_sources(_months(start, end)).are_any:
        with transaction.atomic():
            _show(_months(start, end), spans)
            yield
    else:
        yield


def is_any_away(start: datetime, end: datetime) -> bool:
    """Whether some events of `[start, end)` may lie anywhere but in the table."""
    return _find_sources(_months(start, end)).are_any


@contextmanager
def showing_numbers(*, after: int, up_to: int) -> Iterator[None]:
    """Let every statement inside the caller's transaction see the events with a number in `(after, up_to]`."""
    locks.lock_shared(locks.LockClass.ARCHIVE)  # before we look which files there are
    files = EventArchive.objects.filter(attached_at=None, first_seq__lte=up_to, last_seq__gt=after)
    months = list(files.order_by("month").values_list("month", flat=True))
    _show((months[0], months[-1]) if months else _NO_MONTHS, [Span(first_seq=after + 1, last_seq=up_to)])
    yield


@contextmanager
def showing_single(wanted: Mapping[int, datetime]) -> Iterator[None]:
    """Let every statement inside see the events with these numbers, each of which happened at the instant named."""
    if connection.in_atomic_block:
        _show_single(wanted)
        yield
    elif wanted and _find_sources(_around(wanted)[0]).are_any:
        with transaction.atomic():
            _show_single(wanted)
            yield
    else:
        yield


@contextmanager
def showing_days(days: Sequence[tuple[datetime, datetime]]) -> Iterator[None]:
    """Let every statement inside the caller's transaction see the events of these stretches of time."""
    if days:
        spans = [Span(start=start, end=end) for start, end in days]
        _show(_months(min(day[0] for day in days), max(day[1] for day in days)), spans)
    yield


@contextmanager
def showing_customer(
    customer_id: int, *, start: datetime, end: datetime, bare: Sequence[tuple[datetime, datetime]], after: int
) -> Iterator[None]:
    """Let every statement inside see a customer's events of the `bare` stretches, and all after a number.

    All within `[start, end)`. Where everything lies in the table, it costs no more than a look.
    """
    months = _months(start, end)
    if not _find_sources(months).are_any:
        yield
        return
    first, last, customers = max(start, FIRST), min(end, LAST), (customer_id,)
    spans = [Span(start=max(one[0], FIRST), end=min(one[1], LAST), customer_ids=customers) for one in bare]
    with transaction.atomic():
        _show(months, [*spans, Span(first_seq=after + 1, start=first, end=last, customer_ids=customers)])
        yield


@contextmanager
def showing_late(*, customer_ids: Sequence[int] | None, corrected: Mapping[int, datetime]) -> Iterator[None]:
    """Let every statement inside see what came after live snapshots for times that these had counted.

    Also the events with the numbers `corrected`, each of which happened at the instant named. Nothing else of a file is
    read: a month goes into one only when nothing of it is late.
    """
    if chosen.find_name() == Store.POSTGRES and not corrected:
        yield
        return
    customers = None if customer_ids is None else tuple(customer_ids)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_COUNTED)
            closed = cursor.fetchall()
        _show(_NO_MONTHS, [Span(first_seq=seq + 1, end=end, customer_ids=customers) for seq, end in closed])
        _show_single(corrected)
        yield


def find_rows(wanted: Mapping[int, datetime]) -> dict[int, Row]:
    """Give the rows with these numbers, each of which happened at the instant named, that do not lie in the table.

    Capture asks this way: it may not let anything stand beside the table that it writes into.
    """
    if not wanted:
        return {}
    months, span = _around(wanted)
    return {row[0]: row for rows in _read(_find_sources(months), [span]) for row in rows}


def _around(wanted: Mapping[int, datetime]) -> tuple[tuple[date, date], Span]:
    """Give the months and the span of single events, each named by its number and its instant."""
    start, end = min(wanted.values()), max(wanted.values()) + timedelta(microseconds=1)
    return _months(start, end), Span(start=max(start, FIRST), end=min(end, LAST), seqs=tuple(wanted))


def find_archives(start: datetime, end: datetime) -> list[EventArchive]:
    """Give the files that stand for months which touch `[start, end)`."""
    return list(EventArchive.objects.filter(attached_at=None, month__range=_months(start, end)).order_by("first_seq"))


def find_last_seq() -> int:
    """Give the highest number of an event that lies in a file or was shipped; 0 for none."""
    archives = EventArchive.objects.filter(attached_at=None).order_by("-last_seq")
    in_file = archives.values_list("last_seq", flat=True).first() or 0
    return max(in_file, chosen.find_shipped_seq())


def _months(start: datetime, end: datetime) -> tuple[date, date]:
    return start.astimezone(UTC).date().replace(day=1), end.astimezone(UTC).date()


def _find_sources(months: tuple[date, date]) -> _Sources:
    with connection.cursor() as cursor:
        cursor.execute(_SOURCES, months)
        rows = cursor.fetchall()
    return _Sources(rows[0][0], [(name, sha256) for _store, name, sha256 in rows if name is not None])


def _show_single(wanted: Mapping[int, datetime]) -> None:
    by_time = sorted(wanted, key=wanted.__getitem__)
    for first in range(0, len(by_time), SEQS_AT_ONCE):
        months, span = _around({seq: wanted[seq] for seq in by_time[first : first + SEQS_AT_ONCE]})
        _show(months, [span])


def _show(months: tuple[date, date], spans: Sequence[Span]) -> None:
    locks.lock_shared(locks.LockClass.ARCHIVE)
    sources = _find_sources(months)
    if not sources.are_any:
        return
    with connection.cursor() as cursor:
        cursor.execute(_IS_BESIDE)
        ((is_beside, schema),) = cursor.fetchall()
        table = sql.Identifier(schema, "metering_usageevent")
        if not is_beside:
            cursor.execute(_STAND_BESIDE.format(table=table, columns=_COLUMNS).as_string())
        postgres_rows.copy_rows(_read(sources, spans), table=sql.Identifier("usageevent_loading"))
        cursor.execute(_TAKE_OVER.format(table=table).as_string())


def _read(sources: _Sources, spans: Sequence[Span]) -> Iterator[list[Row]]:
    for span in spans:
        for name, sha256 in sources.files:
            path = archive_files.require_file(name, sha256=sha256)
            yield from archive_files.read_rows(path, span=span)
        if sources.store != Store.POSTGRES:
            yield from chosen.store_of(sources.store).read(span)
