"""Finalizing under attack: many hands, failures after the number was taken, holds and breaks in between."""

import multiprocessing
import random
import time
from contextlib import suppress
from functools import partial
from typing import Any

import pgtrigger
import pytest
from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError, connection, transaction

from accounts.models import Customer
from core import work
from invoicing.cycle import approve, finalize, hold, move, pause, reconcile
from invoicing.cycle.models import Break, Invoice, InvoiceTransition, NumberSeries
from metering.models import UsageEvent
from tests.builders import billing, racing, soundness
from tests.builders.billing import CLOSING, day

pytestmark = pytest.mark.django_db(transaction=True)
FORK = multiprocessing.get_context("fork")


@pytest.fixture
def company() -> billing.Company:
    return billing.open_company()


def approved_invoices(company: billing.Company, count: int) -> list[int]:
    with transaction.atomic():
        for number in range(count):
            code = f"customer{number}"
            billing.subscribe_to(company, billing.make_customer(code))
            billing.use(code, ("e1", day(3), 1000))
    billing.close_october()
    with transaction.atomic():
        for invoice in Invoice.objects.order_by("pk"):
            billing.approve_by(company.finance, invoice)
    return list(Invoice.objects.order_by("pk").values_list("pk", flat=True))


def finalize_one(invoice_id: int) -> str:
    """What came of it: "final", or the code of the refusal."""
    try:
        return finalize.finalize_invoice(invoice_id=invoice_id, actor=None, at=CLOSING).status
    except (move.WrongStateError, approve.ContentChangedError, pause.CyclePausedError) as error:
        return error.code


def finalize_in_disorder(ids: list[int], *, seed: int) -> None:
    """One person's way through all of them; one call in twenty fails after its number was taken."""
    chance = random.Random(seed)  # noqa: S311  a seed, so that a failure can be had again
    enqueue = work.enqueue

    def fail_sometimes(**job: Any) -> None:
        if chance.random() < 0.05:
            raise LookupError("fails with the number in hand")
        enqueue(**job)

    work.enqueue = fail_sometimes
    for invoice_id in chance.sample(ids, len(ids)):
        try:
            finalize_one(invoice_id)
        except LookupError:
            continue
        except (OperationalError, InterfaceError):  # its backend was killed; the next call gets another
            connection.close()


def kill_backends(times: int) -> None:
    for _ in range(times):
        time.sleep(0.2)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1"
            )


def race_to_finalize(company: billing.Company, count: int, *, kills: int) -> None:
    """Four people issue the same invoices, each in another order, while backends are killed."""
    ids = approved_invoices(company, count)
    people = [partial(finalize_in_disorder, ids, seed=seed) for seed in range(4)]
    racing.run_together(*people, partial(kill_backends, kills), seconds_max=300 + count)
    for invoice_id in ids:  # what failed for all four
        finalize_one(invoice_id)
    numbers = list(Invoice.objects.order_by("running_number").values_list("running_number", flat=True))
    assert numbers == list(range(1, count + 1))
    assert NumberSeries.objects.get().next_number == count + 1
    assert InvoiceTransition.objects.filter(to_status="final").count() == count
    assert soundness.offences() == {}


def test_four_people_finalize_the_same_invoices_without_a_gap(company: billing.Company) -> None:
    race_to_finalize(company, 200, kills=5)


@pytest.mark.nightly
def test_four_people_finalize_five_thousand_invoices_without_a_gap(company: billing.Company) -> None:
    race_to_finalize(company, 5000, kills=10)


def test_of_a_hold_and_a_finalize_exactly_one_wins(company: billing.Company) -> None:
    race_a_hold(company, 100)


@pytest.mark.nightly
def test_of_five_hundred_holds_and_finalizes_exactly_one_wins_each(company: billing.Company) -> None:
    race_a_hold(company, 500)


def race_a_hold(company: billing.Company, count: int) -> None:
    ids = approved_invoices(company, count)
    barrier = FORK.Barrier(2, timeout=60)
    held, final = FORK.Value("i", 0), FORK.Value("i", 0)

    def hold_all() -> None:
        for invoice_id in ids:
            barrier.wait()
            with suppress(move.WrongStateError):  # it was final before
                hold.hold_invoice(
                    invoice_id=invoice_id, reason="stop this one", actor=company.other_finance, at=CLOSING
                )
                held.value += 1

    def finalize_all() -> None:
        for number, invoice_id in enumerate(ids):
            barrier.wait()
            time.sleep(number % 5 / 1000)  # meets the hold at another step each time
            final.value += finalize_one(invoice_id) == "final"

    racing.run_together(hold_all, finalize_all)
    assert held.value + final.value == count
    assert Invoice.objects.filter(status="held").count() == held.value
    assert Invoice.objects.filter(status="final").count() == final.value
    assert soundness.offences() == {}


def test_nothing_is_finalized_over_a_break_that_a_recheck_opens_meanwhile(company: billing.Company) -> None:
    race_a_break(company, 60)


@pytest.mark.nightly
def test_nothing_is_finalized_over_five_hundred_breaks_that_open_meanwhile(company: billing.Company) -> None:
    race_a_break(company, 500)


def race_a_break(company: billing.Company, count: int) -> None:
    ids = approved_invoices(company, count)
    with pgtrigger.ignore():
        UsageEvent.objects.all().delete()  # every recheck will find its events gone
    barrier = FORK.Barrier(2, timeout=60)

    def recheck_all() -> None:
        for number, invoice_id in enumerate(ids):
            barrier.wait()
            time.sleep(number % 5 / 1000)
            with suppress(move.WrongStateError):  # it was final before
                reconcile.recheck_invoice(invoice_id=invoice_id, actor=None, at=CLOSING)

    def finalize_all() -> None:
        for number, invoice_id in enumerate(ids):
            barrier.wait()
            time.sleep(number % 7 / 300)
            finalize_one(invoice_id)

    racing.run_together(recheck_all, finalize_all)
    broken = set(Break.objects.filter(closed_at=None).values_list("invoice", flat=True))
    assert broken == set(Invoice.objects.filter(status="held").values_list("pk", flat=True))
    assert len(broken) + Invoice.objects.filter(status="final").count() == count


def test_a_break_pauses_the_cycle_against_whoever_finalizes_another_invoice_of_it(company: billing.Company) -> None:
    """Of each customer one invoice gets a break while the other is issued: what comes second knows of the first."""
    ids = approved_invoices(company, 40)
    beside = billing.make_plan("support", finance=company.finance, fee="10", meter=None)
    with transaction.atomic():
        for customer in Customer.objects.order_by("pk"):
            billing.subscribe_to(company, customer, plan=beside)
    billing.close_october()
    others = [Invoice.objects.exclude(pk=pk).get(customer__invoices=pk).pk for pk in ids]
    with transaction.atomic():
        for invoice in Invoice.objects.filter(pk__in=others):
            billing.approve_by(company.finance, invoice)
    with pgtrigger.ignore():
        UsageEvent.objects.all().delete()
    barrier = FORK.Barrier(2, timeout=60)

    def recheck_all() -> None:
        for number, invoice_id in enumerate(ids):
            barrier.wait()
            time.sleep(number % 5 / 1000)
            reconcile.recheck_invoice(invoice_id=invoice_id, actor=None, at=CLOSING)

    def finalize_others() -> None:
        for number, invoice_id in enumerate(others):
            barrier.wait()
            time.sleep(number % 7 / 300)
            finalize_one(invoice_id)

    racing.run_together(recheck_all, finalize_others)
    held = dict(InvoiceTransition.objects.filter(to_status="held").values_list("invoice", "audit_entry"))
    final = dict(InvoiceTransition.objects.filter(to_status="final").values_list("invoice", "audit_entry"))
    assert held.keys() == set(ids)
    assert all(final[other] < held[own] for own, other in zip(ids, others, strict=True) if other in final)
    assert 0 < len(final) < 40  # both orders happened


def test_a_stale_save_never_undoes_a_finalize(company: billing.Company) -> None:
    ids = approved_invoices(company, 60)
    barrier = FORK.Barrier(2, timeout=60)
    refused = FORK.Value("i", 0)

    def save_what_was_read_before() -> None:
        for number, invoice_id in enumerate(ids):
            stale = Invoice.objects.get(pk=invoice_id)
            barrier.wait()
            time.sleep(number % 5 / 300)
            stale.status = "draft"
            try:
                stale.save()
            except DatabaseError:  # whichever trigger sees it first
                refused.value += 1

    def finalize_all() -> None:
        for invoice_id in ids:
            barrier.wait()
            assert finalize_one(invoice_id) == "final"

    racing.run_together(save_what_was_read_before, finalize_all)
    assert refused.value == 60
    assert Invoice.objects.filter(status="final").count() == 60


def test_a_break_that_is_being_written_stops_a_finalize_that_already_looked(company: billing.Company) -> None:
    [invoice_id] = approved_invoices(company, 1)
    is_written = FORK.Event()

    def write_break() -> None:
        invoice = Invoice.objects.get(pk=invoice_id)
        with transaction.atomic():
            Break.objects.create(
                invoice=invoice,
                tie_out=invoice.tie_outs.get(),
                name="usage_without_price",
                detail="found by somebody who takes no lock",
                facts={},
                opened_at=CLOSING,
            )
            is_written.set()
            time.sleep(0.5)

    def finalize_meanwhile() -> None:
        assert is_written.wait(60)
        with pytest.raises(IntegrityError, match="open break or hold"):
            finalize_one(invoice_id)

    racing.run_together(write_break, finalize_meanwhile)
    assert Invoice.objects.get().status == "approved"
    assert not NumberSeries.objects.exists()
