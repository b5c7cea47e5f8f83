"""The searches for broken runs and moves find what guards should have kept out."""

from datetime import timedelta

import pytest
from django.db import connection

from core import invariants
from invoicing.effects import moves, run
from invoicing.effects.invariants import INVARIANTS
from invoicing.pricing.models import Plan
from tests.builders import agreements
from tests.builders.agreements import day

pytestmark = pytest.mark.django_db
CHANGE = day(40)
NOW = day(35)
APPROVE_ONES_OWN = """
    ALTER TABLE effects_planmove DROP CONSTRAINT effects_move_two_persons;
    UPDATE effects_planmove SET decided_by_id = created_by_id
"""
ANSWERED, OF_ITS_PLAN, MOVED, DECIDED, TWO_PERSONS = (invariant.name for invariant in INVARIANTS)


def offended() -> set[str]:
    return {finding.invariant.name for finding in invariants.check_all(INVARIANTS) if finding.offenders}


def write_past_triggers(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what was written before is checked before
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement)
        cursor.execute("SET LOCAL session_replication_role = origin")


@pytest.fixture
def plans() -> tuple[Plan, Plan]:
    """Two customers moved from one plan to another at day 40, and one released from older prices."""
    basic, pro = agreements.plan(), agreements.plan("pro")
    agreements.fee(basic, "30.00")
    agreements.fee(pro, "45.00")
    for code in ("acme", "other"):
        agreements.start(agreements.customer(code), basic)
    carry_out(basic, pro)
    keeps = agreements.start(agreements.customer("keeps"), basic)
    agreements.keep_prices(keeps, since=day(5), until=day(300))
    carry_out(basic, basic)
    return basic, pro


def carry_out(source: Plan, target: Plan) -> None:
    move = moves.propose_move(
        source=source, target=target, effective_at=CHANGE, actor=agreements.author(), at=NOW + timedelta(minutes=1)
    )
    run.answer(run_id=move.effect_runs.get().pk, at=NOW + timedelta(minutes=2))
    moves.approve_move(move_id=move.pk, actor=agreements.approver(), at=NOW + timedelta(minutes=3))
    moves.carry_out(move_id=move.pk, at=NOW + timedelta(minutes=4))


def test_sound_runs_and_moves_offend_nothing(plans: tuple[Plan, Plan]) -> None:
    assert offended() == set()


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("DELETE FROM effects_effect WHERE id = (SELECT min(id) FROM effects_effect)", ANSWERED),
        ("UPDATE effects_effect SET currency = 'JPY'", ANSWERED),
        ("UPDATE effects_effect SET period_end = now() + interval '900 years'", OF_ITS_PLAN),
        ("UPDATE pricing_subscriptionphase SET starts_at = starts_at + interval '1 s' WHERE ends_at IS NULL", MOVED),
        ("UPDATE pricing_keptprices SET ends_at = ends_at + interval '1 s'", MOVED),
        ("UPDATE effects_moveitem SET state = 'waiting', reason = ''", DECIDED),
        (APPROVE_ONES_OWN, TWO_PERSONS),
        ("UPDATE effects_planmove SET status = 'withdrawn', finished_at = NULL", TWO_PERSONS),
    ],
)  # fmt: skip
def test_what_was_written_past_the_guards_is_found(plans: tuple[Plan, Plan], statement: str, name: str) -> None:
    write_past_triggers(statement)
    assert offended() == {name}
