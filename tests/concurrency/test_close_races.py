"""Closing under attack: several at once, and one that is killed at any step."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from django.db import connection, connections, transaction

from accounts.models import Customer
from core import in_turn
from invoicing.cycle import adjust, assemble, close, close_chunk, draft, move, park, reconcile
from invoicing.cycle.models import BillingCycle, CloseRun, Invoice, InvoiceLine, ParkedCustomer
from invoicing.policy.models import TriggerPolicy
from metering.models import AggregationSnapshot
from tests.builders import billing, racing, soundness
from tests.builders.billing import CLOSING, NEXT_CLOSING, day

pytestmark = pytest.mark.django_db(transaction=True)
STEPS: list[tuple[Any, str]] = [
    (close.close_runs, "ask_for_run"),
    (close.close_runs, "begin_attempt"),
    (close.due, "open_periods"),
    (close.watermarks, "fix_watermark"),
    (assemble, "open_bills"),
    (assemble.aggregate, "take_snapshots"),
    (assemble.rate, "rate_segments"),
    (adjust, "add_adjustments"),
    (reconcile, "tie_out_bills"),
    (reconcile.differences, "look_closer"),
    (close_chunk.unusual, "find_unusual"),
    (draft.bulk, "insert_rows"),
    (move, "record_births"),
    (park, "note_outcome"),
    (close.close_runs, "note_step"),
    (close_chunk, "_draft"),
    (park, "let_go_without_periods"),
    (close.close_runs, "end_run"),
]
# Where a process beside others may be lost: counting ahead of its turn, drafting in it, and the one that waits for all.
BESIDE: list[tuple[Any, str]] = [
    (assemble.aggregate, "take_snapshots"),
    (close_chunk, "_count"),
    (draft.bulk, "insert_rows"),
    (close_chunk, "_draft"),
    (in_turn.pipes, "wait"),
]
ONCE = {"ask_for_run", "open_periods", "begin_attempt", "fix_watermark", "let_go_without_periods", "end_run"}


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


@transaction.atomic
def people_with_usage(company: billing.Company, count: int) -> None:
    for number in range(count):
        code = f"customer{number}"
        billing.subscribe_to(company, billing.make_customer(code))
        billing.use(code, ("e1", day(3), 1000 + number), ("e2", day(20), 500))


def close_by_four(company: billing.Company, monkeypatch: pytest.MonkeyPatch, *, count: int) -> None:
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
    assert soundness.offences() == {}


def test_four_who_close_the_same_periods_draft_each_of_them_once(
    company: billing.Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    close_by_four(company, monkeypatch, count=100)


@pytest.mark.nightly
def test_four_who_close_a_thousand_periods_draft_each_of_them_once(
    company: billing.Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    close_by_four(company, monkeypatch, count=1000)


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
    assert soundness.offences() == {}


def figures() -> list[tuple[str, str, int]]:
    """What stands on the live invoices, without the ids that any run gives anew."""
    lines = InvoiceLine.objects.exclude(invoice__status="discarded").order_by("invoice__customer__code", "position")
    columns = ("invoice__customer__code", "description", "amount", "quantity", "rated_line__snapshot__digest")
    return list(lines.values_list(*columns))


def killed_after(module: Any, name: str, *, call: int) -> int | None:
    """Close in a process that dies by SIGKILL right after this function has returned for the `call`-th time.

    Where one of the processes beside it died, it ends by itself. Gives its exit code.
    """
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
    wait_until_alone()
    return process.exitcode


def wait_until_alone() -> None:
    """Until whoever was at work has gone, which for the processes of a close is after the one that began them."""
    ends = time.monotonic() + 30
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    while True:
        with connection.cursor() as cursor:
            cursor.execute(others)
            if cursor.fetchone() == (0,):
                return
        assert time.monotonic() < ends
        time.sleep(0.05)


def kill_at_every_step(company: billing.Company, monkeypatch: pytest.MonkeyPatch, *, times: int) -> None:
    people_with_usage(company, 9)
    billing.close_october()
    expected = figures()
    monkeypatch.setattr(close, "CHUNK_PERIODS", 3)
    for module, name in STEPS * times:
        for invoice in Invoice.objects.exclude(status="discarded"):
            billing.discard_draft(company, invoice)
        assert killed_after(module, name, call=1 if name in ONCE else 2) == -signal.SIGKILL
        half_done = Invoice.objects.exclude(status="discarded").count()
        assert half_done in (0, 3, 6, 9), name  # whole chunks or nothing of them
        killed = CloseRun.objects.latest("pk")
        assert killed.drafted == half_done, name  # its row says as much as was committed
        report = billing.close_october()
        assert (report.drafted, report.failed) == (9 - half_done, []), name
        assert figures() == expected, name
        last = CloseRun.objects.latest("pk")
        assert (last.drafted if last.pk == killed.pk else half_done + last.drafted) == 9, name
    assert not CloseRun.objects.filter(ended_at=None).exists()  # what was left was taken up again
    assert soundness.offences() == {}


def test_a_close_killed_at_any_step_is_finished_by_the_next(
    company: billing.Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(close, "CHUNKS_BESIDE_MIN", 99)
    kill_at_every_step(company, monkeypatch, times=1)


@pytest.mark.parametrize(("module", "name"), BESIDE)
def test_a_close_that_loses_one_of_its_processes_is_interrupted_and_finished_by_the_next(
    company: billing.Company, monkeypatch: pytest.MonkeyPatch, module: Any, name: str
) -> None:
    people_with_usage(company, 15)
    billing.close_october()
    expected = figures()
    for invoice in Invoice.objects.exclude(status="discarded"):
        billing.discard_draft(company, invoice)
    monkeypatch.setattr(close, "CHUNK_PERIODS", 3)
    assert killed_after(module, name, call=2) == (-signal.SIGKILL if module is in_turn.pipes else 1)
    half_done = Invoice.objects.exclude(status="discarded").count()
    assert half_done in (0, 3, 6, 9, 12)
    interrupted = CloseRun.objects.latest("pk")
    assert (interrupted.drafted, interrupted.stopped_by, interrupted.ended_at) == (half_done, "", None)
    report = billing.close_october()
    assert (report.drafted, report.failed) == (15 - half_done, [])
    assert figures() == expected
    assert CloseRun.objects.latest("pk").drafted == 15
    assert soundness.offences() == {}


def test_a_customer_who_cannot_be_closed_stops_nobody_beside(
    company: billing.Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    people_with_usage(company, 12)
    Customer.objects.filter(code="customer7").update(tax_rate_code="nowhere")
    monkeypatch.setattr(close, "CHUNK_PERIODS", 2)
    monkeypatch.setattr(close_chunk, "_draft", failing_for("customer4", close_chunk._draft))  # noqa: SLF001
    report = billing.close_october()
    assert (report.drafted, [one.customer for one in report.failed]) == (10, ["customer4", "customer7"])
    assert set(ParkedCustomer.objects.values_list("customer__code", flat=True)) == {"customer4", "customer7"}
    [run] = CloseRun.objects.all()
    assert (run.total, run.done, run.drafted, run.failed) == (12, 12, 10, 2)
    assert run.reached_customer == Customer.objects.get(code="customer11").pk
    assert list(Invoice.objects.order_by("pk").values_list("customer__code", flat=True)) == [
        f"customer{number}" for number in range(12) if number not in (4, 7)
    ]  # in the order of one after the other


def failing_for(code: str, original: Callable[..., Any]) -> Callable[..., Any]:
    def fail(counted: Any, **options: Any) -> Any:
        if any(bill.customer.code == code for bill in counted.bills):
            raise ValueError(f"no draft for {code}")
        return original(counted, **options)

    return fail


@pytest.mark.nightly
def test_a_close_killed_twenty_times_at_any_step_is_finished_by_the_next(
    company: billing.Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(close, "CHUNKS_BESIDE_MIN", 99)
    kill_at_every_step(company, monkeypatch, times=20)


def test_what_is_decided_during_a_close_changes_no_invoice_halfway(
    company: billing.Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A price from the middle of the month is approved and a policy is signed while chunks are drafted."""
    people_with_usage(company, 40)
    monkeypatch.setattr(close, "CHUNK_PERIODS", 2)
    first_policy = TriggerPolicy.objects.get()
    price = billing.prices.propose_plan_price(
        plan=company.plan,
        charge_code=None,
        meter=company.meter,
        name=None,
        model="standard",
        params={"unit_amount": "0.003"},
        effective_at=day(16).replace(hour=0),
        actor=company.finance,
        at=CLOSING,
    )
    barrier = multiprocessing.get_context("fork").Barrier(2, timeout=60)

    def close_all() -> None:
        barrier.wait()
        assert billing.close_october().failed == []

    def decide() -> None:
        barrier.wait()
        time.sleep(0.7)  # some chunks are drafted by then
        billing.prices.approve_price_version(pk=price.pk, actor=billing.approver(), at=CLOSING)
        billing.sign_a_policy(author=company.finance, terms={}, at=CLOSING + timedelta(hours=1))

    racing.run_together(close_all, decide)
    assert {invoice.policy for invoice in Invoice.objects.all()} == {first_policy}  # in force when the close began
    by_prices = set()
    for number in range(40):
        lines = InvoiceLine.objects.filter(invoice__customer__code=f"customer{number}", meter_code="tokens")
        amounts = list(lines.order_by("segment_start").values_list("amount", flat=True))
        old = [Decimal(1500 + number) * Decimal("0.002")]
        new = [Decimal(1000 + number) * Decimal("0.002"), Decimal("1.5")]
        cent = Decimal("0.01")
        assert amounts in ([round_up(one, cent) for one in old], [round_up(one, cent) for one in new])
        by_prices.add(len(amounts))
    assert len(by_prices) == 1  # the same prices for everybody
    assert soundness.offences() == {}


def round_up(amount: Decimal, cent: Decimal) -> Decimal:
    return amount.quantize(cent, ROUND_HALF_UP)
