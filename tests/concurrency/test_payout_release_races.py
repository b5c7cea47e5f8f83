"""A gate that shuts while a batch is released: either the money went before, or it does not go."""

import multiprocessing
import time
from datetime import timedelta

import pytest
from django.db import transaction

from compliance.payouts import gates, queries, release
from compliance.payouts.models import (
    BatchItem,
    GateCheck,
    GateDecision,
    Payable,
    Payee,
    Payout,
    PayoutBatch,
    ReleaseDecision,
)
from core import audit
from tests.builders import payouts, racing
from tests.builders.payouts import NOON, Desk

pytestmark = pytest.mark.django_db(transaction=True)


@transaction.atomic
def open_batches(desk: Desk, count: int) -> list[PayoutBatch]:
    """As many batches of one payable to one payee with one open gate, by few statements; triggers look at them all."""
    numbers = range(count)
    payees = Payee.objects.bulk_create(
        Payee(
            code=f"p{number}",
            legal_name=f"Payee {number}",
            kind="person",
            program="marketplace",
            market="EU",
            country="DE",
            created_by=desk.finance,
            created_at=NOON,
        )
        for number in numbers
    )
    checks = GateCheck.objects.bulk_create(
        GateCheck(payee=payee, kind="aml", state="approved", opened_at=NOON) for payee in payees
    )
    facts = [audit.Fact(action="gate_check.approve", subject=f"gate_check:{check.pk}", facts={}) for check in checks]
    GateDecision.objects.bulk_create(
        GateDecision(
            gate_check=check,
            verdict="approve",
            from_state="not_started",
            to_state="approved",
            reason="screened",
            evidence="list of the day",
            actor=desk.ops,
            decided_at=NOON,
            audit_entry=entry,
        )
        for check, entry in zip(checks, audit.append_entries(facts, actor=desk.ops, at=NOON), strict=True)
    )
    owed = Payable.objects.bulk_create(
        Payable(payee=payee, reference="A", amount=100, currency="EUR", created_by=desk.finance, created_at=NOON)
        for payee in payees
    )
    batches = PayoutBatch.objects.bulk_create(
        PayoutBatch(reference=f"B{number}", created_by=desk.finance, created_at=NOON) for number in numbers
    )
    BatchItem.objects.bulk_create(
        BatchItem(batch=batch, payable=payable) for batch, payable in zip(batches, owed, strict=True)
    )
    return batches


def suspend(check_id: int, *, desk: Desk) -> GateDecision:
    return gates.decide_gate(
        check_id=check_id,
        verdict="suspend",
        reason="alert from the register",
        evidence="",
        expires_at=None,
        actor=desk.ops,
        at=NOON,
    )


def test_no_money_moves_after_its_gate_was_suspended() -> None:
    suspend_while_releasing(rounds=120)


@pytest.mark.nightly
def test_no_money_moves_after_any_of_five_hundred_gates_was_suspended() -> None:
    suspend_while_releasing(rounds=500)


def suspend_while_releasing(*, rounds: int) -> None:
    desk = payouts.open_desk(gates=["aml"])
    batches = open_batches(desk, rounds)
    checks = list(GateCheck.objects.order_by("pk"))  # as the batches: one for each, in the order they were made
    barrier = multiprocessing.get_context("fork").Barrier(2, timeout=60)

    def release_all() -> None:
        for batch in batches:
            barrier.wait()
            release.release_batch(batch_id=batch.pk, actor=desk.other_ops, at=NOON)

    def suspend_all() -> None:
        for number, check in enumerate(checks):
            barrier.wait()
            time.sleep(number % 7 / 1000)  # meets the release at another step each time
            suspend(check.pk, desk=desk)

    racing.run_together(release_all, suspend_all)
    suspended = {
        made.gate_check.payee_id: made.audit_entry_id
        for made in GateDecision.objects.filter(verdict="suspend").select_related("gate_check")
    }
    decided = ReleaseDecision.objects.select_related("payable")
    assert len(suspended) == len(decided) == rounds
    # The audit chain is one order for everybody: the suspension stands before or after the release, never beside it.
    for decision in decided:
        came_first = decision.audit_entry_id < suspended[decision.payable.payee_id]
        assert decision.outcome == ("released" if came_first else "blocked")
    assert Payout.objects.count() == sum(decision.outcome == "released" for decision in decided)
    assert audit.find_first_broken_entry() is None


def test_an_approval_that_ends_while_the_release_waits_does_not_count() -> None:
    desk = payouts.open_desk(gates=["aml"])
    end = NOON + timedelta(milliseconds=50)
    payee = payouts.approved_payee(desk, expires_at=end)
    batch = payouts.batch(desk, [payouts.payable(desk, payee)])
    is_locked = multiprocessing.get_context("fork").Event()

    def hold_the_gate() -> None:
        with transaction.atomic():
            queries.lock_checks([payee.pk])
            is_locked.set()
            time.sleep(0.5)

    def release_meanwhile() -> None:
        assert is_locked.wait(60)
        release.release_batch(batch_id=batch.pk, actor=desk.other_ops, at=end - timedelta(milliseconds=40))

    racing.run_together(hold_the_gate, release_meanwhile)
    decision = ReleaseDecision.objects.get()
    assert (decision.outcome, decision.gates[0]["state"]) == ("blocked", "expired")
    assert decision.decided_at >= end
    assert not Payout.objects.exists()


def test_four_people_who_release_the_same_batch_pay_once() -> None:
    desk = payouts.open_desk(gates=["aml"])
    payee = payouts.approved_payee(desk)
    owed = [payouts.payable(desk, payee, reference=f"ORDER-{number}") for number in range(20)]
    batch = payouts.batch(desk, owed)
    barrier = multiprocessing.get_context("fork").Barrier(4, timeout=60)

    def release_it() -> None:
        barrier.wait()
        decisions = release.release_batch(batch_id=batch.pk, actor=desk.other_ops, at=NOON)
        assert {decision.outcome for decision in decisions} == {"released"}

    racing.run_together(*[release_it] * 4)
    assert Payout.objects.count() == ReleaseDecision.objects.count() == Payable.objects.count() == 20


def test_a_release_waits_for_a_stricter_requirement_that_is_being_entered() -> None:
    desk = payouts.open_desk(gates=["aml"])
    batch = payouts.batch(desk, [payouts.payable(desk, payouts.approved_payee(desk))])
    is_entered = multiprocessing.get_context("fork").Event()

    def tighten() -> None:
        with transaction.atomic():
            payouts.open_desk(gates=["aml", "kyc"], at=NOON + timedelta(minutes=30))
            is_entered.set()
            time.sleep(0.5)

    def release_meanwhile() -> None:
        assert is_entered.wait(60)
        release.release_batch(batch_id=batch.pk, actor=desk.other_ops, at=NOON + timedelta(hours=1))

    racing.run_together(tighten, release_meanwhile)
    decision = ReleaseDecision.objects.get()
    assert (decision.outcome, decision.reasons) == ("blocked", ["KYC: not started"])
