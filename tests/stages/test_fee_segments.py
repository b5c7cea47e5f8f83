"""Where charges by a fee program are cut: at new figures, or with the period for programs that count accounts."""

from datetime import datetime
from typing import Any

import pytest

from invoicing.pricing import fee_programs, queries, segments, subscribe
from invoicing.pricing.fee_programs import Source
from invoicing.pricing.models import FeeProgram, FeeProgramVersion, Plan
from tests.builders import agreements
from tests.builders.agreements import BEFORE, START, day

pytestmark = pytest.mark.django_db
CARD = {"tables": [{"currency": "EUR", "rate_percent": "2.9"}]}
CONNECT = {"tables": [{"currency": "EUR", "per_account": "2"}]}


def figures(program: FeeProgram, terms: Any, *, effective_at: datetime) -> FeeProgramVersion:
    version = fee_programs.propose_version(
        program=program,
        terms=terms,
        source=Source(text="contract", read_on=START.date(), kind="primary"),
        effective_at=effective_at,
        actor=agreements.author(),
        at=BEFORE,
    )
    return fee_programs.approve_version(pk=version.pk, actor=agreements.approver(), at=BEFORE)


def charge(takes_effect: str, terms: Any) -> tuple[Plan, FeeProgram, FeeProgramVersion]:
    """A plan whose only charge follows the program since long ago."""
    program = fee_programs.create_program(
        code="program", name="Program", takes_effect=takes_effect, actor=agreements.author(), at=BEFORE
    )
    first = figures(program, terms, effective_at=BEFORE)
    plan = agreements.plan()
    agreements.set_price(plan, meter=agreements.meter(), model="fee_program", params={"program": "program"})
    agreements.start(agreements.customer(), plan)
    return plan, program, first


def january() -> list[tuple[int | None, int, int]]:
    """Figures, and the days between which they price."""
    due = queries.due_periods(as_of=day(32))
    return [(one.fee_version_id, _day(one.start), _day(one.end)) for one in segments.price_segments(due)]


def _day(instant: datetime) -> int:
    return (instant - START).days + 1


def test_new_figures_cut_the_period_at_their_instant() -> None:
    _, program, first = charge("at_once", CARD)
    second = figures(program, CARD, effective_at=day(11))
    assert january() == [(first.pk, 1, 11), (second.pk, 11, 32)]


def test_a_program_that_changes_with_the_period_keeps_the_figures_it_began_with() -> None:
    _, program, first = charge("next_period", CONNECT)
    figures(program, CONNECT, effective_at=day(11))
    assert january() == [(first.pk, 1, 32)]


def test_neither_new_terms_of_the_plan_nor_a_new_price_cut_the_month_of_accounts() -> None:
    plan, _, first = charge("next_period", CONNECT)
    agreements.set_terms(plan, effective_at=day(6), proration_unit="day")
    agreements.set_price(
        plan,
        charge="tokens",
        model="fee_program",
        params={"program": "program", "account": "account"},
        effective_at=day(15),
    )
    assert january() == [(first.pk, 1, 32)]


def test_before_the_first_figures_nothing_is_priced() -> None:
    program = fee_programs.create_program(
        code="program", name="Program", takes_effect="at_once", actor=agreements.author(), at=BEFORE
    )
    first = figures(program, CARD, effective_at=day(20))
    plan = agreements.plan()
    agreements.set_price(plan, meter=agreements.meter(), model="fee_program", params={"program": "program"})
    agreements.start(agreements.customer(), plan)
    assert january() == [(first.pk, 20, 32)]


def test_a_price_of_its_own_may_follow_a_program() -> None:
    plan, _, first = charge("at_once", CARD)
    agreements.set_price(plan, charge="tokens", params={"unit_amount": "0.01"}, effective_at=day(11))
    assert january() == [(first.pk, 1, 11), (None, 11, 32)]


def test_each_plan_of_a_month_has_its_own_part_of_it() -> None:
    plan, _, first = charge("next_period", CONNECT)
    other = agreements.plan("other")
    agreements.set_price(other, meter=agreements.meter("more"), model="fee_program", params={"program": "program"})
    subscription = plan.phases.get().subscription
    subscribe.change_plan(subscription=subscription, plan=other, effective_at=day(16), actor=None, at=BEFORE)
    assert january() == [(first.pk, 1, 16), (first.pk, 16, 32)]
