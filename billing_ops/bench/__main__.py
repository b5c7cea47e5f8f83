"""Runs every benchmark in the database that the environment names, which `manage.py bench` made for it alone.

With `--close SUBSCRIPTIONS EVENTS` it closes one month of that size and nothing else. Prints one line of JSON for each
part as it ends; run by itself it would fill a live database with made-up events.
"""

import sys
from collections.abc import Callable

import django
import orjson

SMALL = "--quick"
CLOSE = "--close"


def main() -> None:
    django.setup()
    # Whatever reads models can be imported only after the set-up; that is why these four stand here.
    from django.core.management import call_command  # noqa: PLC0415

    from billing_ops.bench import close, evidence, ingest, pdf, rating, usage  # noqa: PLC0415
    from billing_ops.bench.rows import BenchRow  # noqa: PLC0415

    is_quick = SMALL in sys.argv
    call_command("migrate", verbosity=0)
    parts: list[Callable[[], list[BenchRow]]] = [
        # The close comes first: it wants a database without other events.
        (lambda: close.run(subscriptions=50, events=20_000, rounds=1)) if is_quick else close.run,
        (lambda: ingest.run(rounds=1, events=6_000)) if is_quick else ingest.run,
        (lambda: usage.run(seconds=2, past=5_000)) if is_quick else usage.run,
        (lambda: evidence.run(sizes=(100, 2_000), rounds=1)) if is_quick else evidence.run,
        (lambda: pdf.run(rounds=2)) if is_quick else pdf.run,
        (lambda: rating.run(rounds=1, lines=200)) if is_quick else rating.run,
    ]
    if CLOSE in sys.argv:
        subscriptions, events = map(int, sys.argv[-2:])
        parts = [lambda: close.run(subscriptions=subscriptions, events=events, rounds=1)]
    for part in parts:
        print(orjson.dumps([row.as_json() for row in part()]).decode(), flush=True)  # noqa: T201  read by the parent


if __name__ == "__main__":
    main()
