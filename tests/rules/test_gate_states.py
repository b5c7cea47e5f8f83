"""What a stored gate state means at an instant, and which verdict may follow it."""

from datetime import UTC, datetime, timedelta

import pytest

from compliance.payouts.rules import gates, lifecycle
from compliance.payouts.rules.gates import GateState
from compliance.payouts.rules.lifecycle import Verdict

END = datetime(2026, 6, 30, tzinfo=UTC)
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("at", "state"),
    [
        (END - timedelta(days=30) - TICK, "approved"),
        (END - timedelta(days=30), "expiring"),
        (END - TICK, "expiring"),
        (END, "expired"),
        (END + timedelta(days=400), "expired"),
    ],
)
def test_an_approval_holds_until_its_end_and_not_at_it(at: datetime, state: str) -> None:
    assert gates.state_at(stored="approved", expires_at=END, at=at) == state


def test_an_approval_without_an_end_does_not_expire() -> None:
    assert gates.state_at(stored="approved", expires_at=None, at=END) == "approved"


@pytest.mark.parametrize("stored", ["not_started", "pending", "needs_review", "rejected", "suspended"])
def test_what_is_not_approved_stays_as_it_is_stored(stored: str) -> None:
    assert gates.state_at(stored=stored, expires_at=None, at=END) == stored


@pytest.mark.parametrize("stored", ["expiring", "expired", "completed", "", "APPROVED"])
def test_a_stored_value_that_nobody_knows_needs_review(stored: str) -> None:
    assert gates.state_at(stored=stored, expires_at=None, at=END) == "needs_review"


def test_only_approvals_open_a_gate() -> None:
    assert {"approved", "expiring"} == gates.OPEN


@pytest.mark.parametrize(
    ("at", "days"),
    [(END - timedelta(days=10), 10), (END - timedelta(hours=23), 0), (END, 0), (END + timedelta(hours=1), -1)],
)
def test_days_left_are_whole_days_and_negative_after_the_end(at: datetime, days: int) -> None:
    assert gates.days_left(expires_at=END, at=at) == days
    assert gates.days_left(expires_at=None, at=at) is None


@pytest.mark.parametrize(
    ("stored", "allowed"),
    [
        ("not_started", {"request", "review", "approve", "reject"}),
        ("pending", {"review", "approve", "reject", "suspend"}),
        ("needs_review", {"request", "approve", "reject", "suspend"}),
        ("approved", {"request", "review", "approve", "reject", "suspend"}),
        ("rejected", {"request", "review"}),
        ("suspended", {"review", "reject"}),
        ("expired", set()),
        ("completed", set()),
    ],
)
def test_the_table_of_moves(stored: str, allowed: set[str]) -> None:
    assert {str(verdict) for verdict in Verdict if lifecycle.is_allowed(stored=stored, verdict=verdict)} == allowed


def test_what_was_rejected_or_suspended_opens_only_after_a_review() -> None:
    assert ("rejected", "approved") not in lifecycle.transitions()
    assert ("suspended", "approved") not in lifecycle.transitions()
    assert ("needs_review", "approved") in lifecycle.transitions()


def test_the_database_gets_every_move_of_the_table_and_no_derived_state() -> None:
    pairs = lifecycle.transitions()
    assert len(pairs) == 4 + 4 + 4 + 5 + 2 + 2
    assert not {state for pair in pairs for state in pair} & {str(GateState.EXPIRING), str(GateState.EXPIRED)}
