"""Everything that the database holds, as text: what a dump of it would show, seen from inside a test's transaction."""

from collections.abc import Iterable, Iterator

from django.db import connection


def find_words(words: Iterable[str]) -> list[str]:
    """Which of these words stand in which table, as text, in JSON, or as bytes; "table: word" each."""
    wanted = {word: (word, word.encode().hex(), word.encode("unicode_escape").decode()) for word in words}
    return sorted(
        {
            f"{table}: {word}"
            for table, row in _rows()
            for word, forms in wanted.items()
            if any(one in row for one in forms)
        }
    )


def _rows() -> Iterator[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        tables = [name for (name,) in cursor.fetchall()]
        for table in tables:
            cursor.execute(f'SELECT told::text FROM "{table}" AS told')  # noqa: S608  PostgreSQL's own names
            yield from ((table, row) for (row,) in cursor.fetchall())
