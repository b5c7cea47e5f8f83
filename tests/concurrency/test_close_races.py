"""Closing under attack: several at once, and one that is killed at any step."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections, transaction

from billing_ops.management.commands import check_invariants
from invoicing.cycle import adjust, assemble, close, draft, move, reconcile
from invoicing.cycle.models import BillingCycle, Invoice, InvoiceLine
from metering.models import AggregationSnapshot
from tests.builders import billing, racing
from tests.builders.billing import NEXT_CLOSING, day

pytestmark = pytest.mark.django_db(transaction=True)
STEPS: list[tuple[Any, str]] = [
    (close.due, "open_periods"),
    (close.watermarks, "fix_watermark"),
    (assemble, "open_bills"),
    (assemble.aggregate, "take_snapshots"),
    (assemble.rate, "rate_segments"),
    (adjust, "add_adjustments"),
    (reconcile, "tie_out_bills"),
    (draft.bulk, "insert_rows"),
    (move, "record_births"),
    (close, "_close_together"),
]


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


@transaction.atomic
def people_with_usage(company: billing.Company, count: int) -> None:
    for number in range(count):
        code = f"customer{number}"
        billing.subscribe_to(company, billing.make_customer(code))
        billing.use(code, ("e1", day(3), 1000 + number), ("e2", day(20), 500))


def offences() -> dict[str, list[str]]:
    found = {one.name: list(one.find_offenders()) for one in check_invariants.all_invariants()}
    return {name: offenders for name, offenders in found.items() if offenders}


@pytest.mark.parametrize("count", [100, pytest.param(200, marks=pytest.mark.nightly)])
def test_four_who_close_the_same_periods_draft_each_of_them_once(
    company: billing.Company, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    people_with_usage(company, count)
    monkeypatch.setattr(close, "CHUNK_PERIODS", 3)
    context = multiprocessing.get_context("fork")
    barrier, drafted = context.Barrier(4, timeout=60), context.Value("i", 0)

    def close_all() -> None:
        barrier.wait()
        report = billing.close_october()
        assert report.failed == []
        with drafted.get_lock():
            drafted.value += report.drafted

    racing.run_together(*[close_all] * 4)
    assert drafted.value == count
    assert BillingCycle.objects.count() == Invoice.objects.count() == AggregationSnapshot.objects.count() == count
    assert InvoiceLine.objects.count() == 2 * count
    assert offences() == {}


def test_two_who_close_at_once_adjust_a_late_window_once(company: billing.Company) -> None:
    people_with_usage(company, 20)
    billing.close_october()
    billing.issue(company, list(Invoice.objects.all()))
    for number in range(20):
        billing.use(f"customer{number}", ("late", day(30), 250), at=NEXT_CLOSING)
    barrier = multiprocessing.get_context("fork").Barrier(2, timeout=60)

    def close_all() -> None:
        barrier.wait()
        assert billing.close_november().failed == []

    racing.run_together(close_all, close_all)
    adjustments = InvoiceLine.objects.filter(adjusts__isnull=False)
    assert adjustments.count() == adjustments.values("adjusts").distinct().count() == 20
    assert offences() == {}


def figures() -> list[tuple[str, str, int]]:
    """What stands on the live invoices, without the ids that any run gives anew."""
    lines = InvoiceLine.objects.exclude(invoice__status="discarded").order_by("invoice__customer__code", "position")
    columns = ("invoice__customer__code", "description", "amount", "quantity", "rated_line__snapshot__digest")
    return list(lines.values_list(*columns))


def killed_after(module: Any, name: str, *, call: int) -> None:
    """Close in a process that dies by SIGKILL right after this function has returned for the `call`-th time."""
    connections.close_all()

    def close_and_die() -> None:
        original: Callable[..., Any] = getattr(module, name)
        calls = 0

        def then_die(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            result = original(*args, **kwargs)
            calls += 1
            if calls == call:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        setattr(module, name, then_die)
        billing.close_october()

    process = multiprocessing.get_context("fork").Process(target=close_and_die)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


def test_a_close_killed_at_any_step_is_finished_by_the_next(
    company: billing.Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    people_with_usage(company, 9)
    billing.close_october()
    expected = figures()
    monkeypatch.setattr(close, "CHUNK_PERIODS", 3)
    for module, name in STEPS:
        for invoice in Invoice.objects.exclude(status="discarded"):
            billing.discard_draft(company, invoice)
        once = name in ("open_periods", "fix_watermark")
        killed_after(module, name, call=1 if once else 2)
        half_done = Invoice.objects.exclude(status="discarded").count()
        assert half_done in (0, 3, 6), name  # whole chunks or nothing of them
        report = billing.close_october()
        assert (report.drafted, report.failed) == (9 - half_done, []), name
        assert figures() == expected, name
    assert offences() == {}
