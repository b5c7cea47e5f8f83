"""Every invariant of gates and payouts finds the offence that it is there for, and nothing on a clean day."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection

from compliance.payouts import evidence, invariants, release
from compliance.payouts.models import PayoutBatch
from core.invariants import check_all
from tests.builders import payouts
from tests.builders.payouts import NOON, Desk

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@contextmanager
def without_guards() -> Iterator[None]:
    """As somebody with the owner's rights could: no trigger, no foreign key."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL session_replication_role = replica")
        try:
            yield
        finally:
            cursor.execute("SET LOCAL session_replication_role = origin")


def offences() -> set[str]:
    return {found.invariant.name for found in check_all(invariants.INVARIANTS) if found.offenders}


@pytest.fixture
def desk() -> Desk:
    return payouts.open_desk()


@pytest.fixture
def released(desk: Desk) -> PayoutBatch:
    """One paid, one blocked, and a gate that was shut afterwards."""
    anna, bert = payouts.approved_payee(desk, "anna", expires_at=NOON + 300 * DAY), payouts.payee(desk, "bert")
    evidence.add_file(
        check_id=payouts.check_of(bert, "kyc").pk, name="a.pdf", content=b"%PDF-1", actor=desk.ops, at=NOON
    )
    batch = payouts.batch(desk, [payouts.payable(desk, anna), payouts.payable(desk, bert)])
    release.release_batch(batch_id=batch.pk, actor=desk.other_ops, at=NOON + DAY)
    payouts.decide(payouts.check_of(anna, "aml"), "suspend", desk=desk, at=NOON + DAY)
    return batch


def plant(statement: str) -> None:
    with without_guards(), connection.cursor() as cursor:
        cursor.execute(statement)
        assert cursor.rowcount > 0


@pytest.mark.usefixtures("released")
def test_a_clean_day_offends_nothing() -> None:
    assert offences() == set()


@pytest.mark.usefixtures("released")
@pytest.mark.parametrize(
    ("statement", "offence"),
    [
        (
            "UPDATE payouts_payee SET created_by_id = (SELECT actor_id FROM payouts_gatedecision LIMIT 1)",
            "whoever entered a payee approved none of its gates",
        ),
        (
            "UPDATE payouts_payoutbatch SET created_by_id = (SELECT actor_id FROM payouts_releasedecision LIMIT 1)",
            "whoever made a batch did not release it",
        ),
        (
            "UPDATE payouts_gatecheck SET state = 'approved' WHERE state = 'not_started'",
            "every gate stands where its latest decision led",
        ),
        (
            "UPDATE payouts_gatecheck SET expires_at = NULL WHERE state = 'approved'",
            "every gate stands where its latest decision led",
        ),
        (
            "UPDATE payouts_gatedecision SET expires_at = '2026-03-03 11:00Z' WHERE verdict = 'approve'",
            "every required gate was open when a payable was released",
        ),
        (
            "UPDATE payouts_gatedecision SET to_state = 'needs_review' WHERE verdict = 'approve'",
            "every required gate was open when a payable was released",
        ),
        (
            "UPDATE payouts_gaterequirement SET gates = gates || ARRAY['kyb']::varchar[]",
            "every required gate was open when a payable was released",
        ),
        (
            "DELETE FROM payouts_gaterequirement",
            "every required gate was open when a payable was released",
        ),
        ("UPDATE payouts_evidencefile SET content = 'x'", "documents of gates are as they were stored"),
        ("UPDATE payouts_payout SET amount = amount + 0.01", "a payable is paid at most once, exactly as owed"),
        ("UPDATE payouts_payout SET currency = 'USD'", "a payable is paid at most once, exactly as owed"),
        ("DELETE FROM payouts_payout", "a payout belongs to exactly one released decision"),
        (
            "UPDATE payouts_payout SET decision_id = (SELECT max(id) FROM payouts_releasedecision)",
            "a payout belongs to exactly one released decision",
        ),
        (
            "UPDATE payouts_releasedecision SET gates = '[]' WHERE outcome = 'released'",
            "one audit reference tells each decision about gates and payables",
        ),
        (
            "UPDATE core_auditentry SET subject = 'payable:0' WHERE action = 'payable.blocked'",
            "one audit reference tells each decision about gates and payables",
        ),
        (
            "UPDATE payouts_gatedecision SET verdict = 'review' WHERE verdict = 'suspend'",
            "one audit reference tells each decision about gates and payables",
        ),
    ],
)
def test_an_offence_that_went_round_every_guard_is_found(statement: str, offence: str) -> None:
    plant(statement)
    assert offence in offences()
