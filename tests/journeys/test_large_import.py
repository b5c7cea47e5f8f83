"""A large file is imported in the memory of a small one."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db import connection

from metering.models import UsageEvent
from tests.builders import usage

ROOT = Path(__file__).parents[2]
START = datetime(2026, 3, 1, tzinfo=UTC)
GROUP = 100_000
GROWTH_MAX = 64 * 1024  # KiB

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.nightly]


def write(path: Path, *, rows: int) -> None:
    schema = pa.schema([("id", pa.string()), ("when", pa.timestamp("us", tz="UTC")), ("tokens", pa.int64())])
    with pq.ParquetWriter(path, schema) as writer:
        for first in range(0, rows, GROUP):
            numbers = range(first, min(first + GROUP, rows))
            ids = [f"{path.stem}-{number}" for number in numbers]
            times = [START + timedelta(milliseconds=100 * (number % 20_000_000)) for number in numbers]
            writer.write_table(pa.table([ids, times, [number % 1000 for number in numbers]], schema=schema))


def load(path: Path) -> int:
    """Import in a process of its own; in KiB the peak memory of it, or of the largest of those that work for it."""
    words = ["--customer", "acme", "--type", usage.EVENT_TYPE, "--map", "time=when", "--map", "id=id"]
    words += ["--map", "data.input_tokens=tokens", "--map", "data.output_tokens=tokens"]
    name = connection.settings_dict["NAME"]
    program = (
        "import django, resource, sys; django.setup();"
        "from django.db import connection; connection.settings_dict['NAME'] = sys.argv[1];"
        "from django.core.management import call_command; call_command('import_events', *sys.argv[2:]);"
        "print(max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, name, str(path), *words],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "billing_ops.settings"},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(ended.stdout.split()[-1])


def test_ten_million_rows_take_the_memory_of_two_hundred_thousand(tmp_path: Path) -> None:
    usage.house()
    small, large = int(os.environ.get("IMPORT_ROWS_SMALL", "200000")), int(os.environ.get("IMPORT_ROWS", "10000000"))
    peaks = []
    for name, rows in (("small", small), ("large", large)):
        path = tmp_path / f"{name}.parquet"
        write(path, rows=rows)
        peaks.append(load(path))
    assert peaks[1] - peaks[0] < GROWTH_MAX, peaks
    assert UsageEvent.objects.count() == small + large
