"""The benchmarks measure what they say, in a database that is not the live one."""

import io
from collections.abc import Iterator

import orjson
import pytest
from django.core.management import call_command
from django.db import connection

from billing_ops.bench import close, rating, usage
from billing_ops.bench.rows import BenchError
from billing_ops.management.commands import bench
from core import scratch
from core.invariants import check_all
from invoicing.cycle.models import Invoice
from metering.invariants import INVARIANTS
from metering.models import CaptureBatch, EventKey, UsageEvent


def databases() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database")
        return {name for (name,) in cursor.fetchall()}


@pytest.fixture
def without_what_a_run_leaves() -> Iterator[None]:
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_lines")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("without_what_a_run_leaves")
def test_the_close_is_measured_on_events_as_capture_stores_them() -> None:
    rate, seconds, in_python = close.run(subscriptions=3, events=2500, rounds=1)
    assert (rate.unit, seconds.unit) == ("events/s", "s")
    assert rate.name == "closing 3 subscriptions with 2,500 events"
    assert rate.ratio == pytest.approx(1 / seconds.ratio)
    assert (in_python.name, in_python.limit) == ("closing 3 subscriptions with 2,500 events, in Python", seconds.value)
    assert 0 < in_python.ratio < 1
    assert UsageEvent.objects.count() == EventKey.objects.count() == 2500
    assert list(CaptureBatch.objects.order_by("pk").values_list("accepted", "first_seq", "last_seq")) == [
        (1000, 1, 1000),
        (1000, 1001, 2000),
        (500, 2001, 2500),
    ]
    assert Invoice.objects.filter(status="draft").count() == 3
    offended = {found.invariant.number for found in check_all(INVARIANTS) if found.offenders}
    assert offended == {5}  # made-up fingerprints; a million real ones would be the longest part of the run


@pytest.mark.django_db(transaction=True)
def test_live_usage_is_measured_against_what_was_sent() -> None:
    fresh, year = usage.run(seconds=1, past=500)
    assert (fresh.unit, fresh.limit) == ("s", 5.0)
    assert fresh.ratio == pytest.approx(fresh.value / 5)
    assert year.ratio == pytest.approx(year.value / year.limit)


@pytest.mark.django_db(transaction=True)
def test_the_scratch_database_is_another_one_and_is_dropped() -> None:
    before = databases()
    with scratch.scratch_database() as environment:
        made = environment["DATABASE_URL"].rpartition("/")[2]
        assert made.startswith("billing_ops_bench_")
        assert made in databases() - before
    assert made not in databases()


@pytest.mark.django_db(transaction=True)
def test_the_scratch_database_is_dropped_when_a_benchmark_fails() -> None:
    made = ""

    def fail_within() -> None:
        nonlocal made
        with scratch.scratch_database() as environment:
            made = environment["DATABASE_URL"].rpartition("/")[2]
            assert made in databases()
            raise RuntimeError("the figure would mean nothing")

    with pytest.raises(RuntimeError):
        fail_within()
    assert made
    assert made not in databases()


def test_rating_is_measured_against_arithmetic_that_agrees() -> None:
    rows = rating.run(rounds=1, lines=40)
    assert [row.name for row in rows] == [f"rated lines: {subject.name}" for subject in rating.subjects()]
    assert all(0 < row.ratio == row.value / row.limit for row in rows)


def test_rating_is_not_measured_against_other_arithmetic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rating, "_volume", lambda quantity: quantity)
    with pytest.raises(BenchError, match="volume"):
        rating.run(rounds=1, lines=40)


@pytest.mark.nightly
@pytest.mark.django_db(transaction=True)
def test_the_command_keeps_every_figure(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("bench")
    monkeypatch.setattr(bench, "LATEST", folder / "latest.json")
    page = io.StringIO()
    call_command("bench", "--quick", "--growth", "2", stdout=page)
    rows = orjson.loads((folder / "latest.json").read_bytes())
    shape = ["limit", "name", "ratio", "unit", "value"]
    assert [sorted(row) for row in rows] == [shape] * (30 + len(rating.subjects()))
    assert all(row["value"] > 0 and row["limit"] > 0 for row in rows)
    assert "one-page invoices as PDF" in page.getvalue()
    assert not UsageEvent.objects.exists()
