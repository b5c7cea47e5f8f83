"""Events that lie in files are counted and traced like those in the table: they stand beside them for a while."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import chain

from django.db import connection, transaction
from psycopg import sql

from core import locks
from metering.models import EventArchive
from metering.store import archive_files, archiving

ALWAYS = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
# A view of the table's own name, in the schema that every statement looks at first: whatever is asked of the events
# is asked of both, and no statement needs to know. It goes with its table when the transaction ends.
_STAND_BESIDE = sql.SQL(
    """
    CREATE TEMPORARY TABLE usageevent_elsewhere (LIKE {table}, PRIMARY KEY (seq)) ON COMMIT DROP;
    CREATE TEMPORARY TABLE usageevent_loading (LIKE {table}) ON COMMIT DROP;
    CREATE TEMPORARY VIEW metering_usageevent AS
    SELECT {columns} FROM {table} UNION ALL SELECT {columns} FROM usageevent_elsewhere;
    """
)
_TAKE_OVER = """
INSERT INTO usageevent_elsewhere SELECT * FROM usageevent_loading ON CONFLICT DO NOTHING;
TRUNCATE usageevent_loading;
ANALYZE usageevent_elsewhere;
"""
_IS_BESIDE = "SELECT to_regclass('pg_temp.usageevent_elsewhere') IS NOT NULL, current_schema()"
_COLUMNS = sql.SQL(", ").join(sql.Identifier(name) for name in archive_files.COLUMNS)


@contextmanager
def showing(start: datetime, end: datetime, *, customer_ids: Sequence[int] | None = None) -> Iterator[None]:
    """Let every statement inside see the events of `[start, end)`, of these customers or of all, wherever they lie.

    In a transaction no month goes away or comes back before its end, what is shown stays shown, and nothing can be
    captured after. Outside of one nobody keeps what is read.
    """
    if connection.in_atomic_block:
        _show(start, end, customer_ids=customer_ids)
        yield
    elif find_archives(start, end):
        with transaction.atomic():
            _show(start, end, customer_ids=customer_ids)
            yield
    else:
        yield


def find_archives(start: datetime, end: datetime) -> list[EventArchive]:
    """Give the files that stand for months which touch `[start, end)`."""
    first, last = start.astimezone(UTC).date().replace(day=1), end.astimezone(UTC).date()
    return list(EventArchive.objects.filter(attached_at=None, month__range=(first, last)).order_by("first_seq"))


def find_last_seq() -> int:
    """Give the highest number of an event in a file; 0 for none."""
    last = (
        EventArchive.objects.filter(attached_at=None).order_by("-last_seq").values_list("last_seq", flat=True).first()
    )
    return last or 0


def _show(start: datetime, end: datetime, *, customer_ids: Sequence[int] | None) -> None:
    locks.lock_shared(locks.LockClass.ARCHIVE)
    archives = find_archives(start, end)
    if not archives:
        return
    paths = [archive_files.require_file(archive.file_name, sha256=archive.file_sha256) for archive in archives]
    wanted = archive_files.within(start, end, customer_ids=customer_ids)
    with connection.cursor() as cursor:
        cursor.execute(_IS_BESIDE)
        ((is_beside, schema),) = cursor.fetchall()
        if not is_beside:
            table = sql.Identifier(schema, "metering_usageevent")
            cursor.execute(_STAND_BESIDE.format(table=table, columns=_COLUMNS).as_string())
        rows = chain.from_iterable(archive_files.read_rows(path, wanted=wanted) for path in paths)
        archiving.copy_rows(rows, table=sql.Identifier("usageevent_loading"))
        cursor.execute(_TAKE_OVER)
