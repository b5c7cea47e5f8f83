"""All subscriptions of a plan are moved at once: proposed with its effect, approved by another person, resumable."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from core import audit, work
from core.errors import NotAllowedError
from core.models import AuditEntry
from invoicing.effects import moves, queries, run
from invoicing.effects.models import MoveItem, PlanMove
from invoicing.pricing import move as pricing_move
from invoicing.pricing import subscribe
from invoicing.pricing.models import Plan, Subscription
from invoicing.pricing.proposals import OwnProposalError
from tests.builders import agreements, guards
from tests.builders.agreements import START, day

pytestmark = pytest.mark.django_db
CHANGE = day(40)
NOW = day(35)


def plans_with_fees() -> tuple[Plan, Plan]:
    basic, pro = agreements.plan(), agreements.plan("pro")
    agreements.fee(basic, "30.00")
    agreements.fee(pro, "45.00")
    return basic, pro


def propose(source: Plan, target: Plan, *, effective_at: datetime = CHANGE) -> PlanMove:
    return moves.propose_move(
        source=source, target=target, effective_at=effective_at, actor=agreements.author(), at=NOW
    )


def carry_out(move: PlanMove) -> dict[str, tuple[str, str]]:
    """Approve and do it; what became of each, by customer."""
    moves.approve_move(move_id=move.pk, actor=agreements.approver(), at=NOW)
    moves.carry_out(move_id=move.pk, at=NOW)
    items = MoveItem.objects.filter(move=move).select_related("subscription__customer")
    return {item.subscription.customer.code: (item.state, item.reason) for item in items}


def stays(subscription: Subscription) -> list[tuple[str, datetime, datetime | None]]:
    return [(phase.plan.code, phase.starts_at, phase.ends_at) for phase in subscription.phases.order_by("starts_at")]


def test_a_dry_run_says_what_the_last_closed_period_would_have_cost() -> None:
    basic, pro = plans_with_fees()
    agreements.start(agreements.customer("acme"), basic)
    move = propose(basic, pro)
    dry_run = move.effect_runs.get()
    run.answer(run_id=dry_run.pk, at=NOW)
    effect = dry_run.effects.get()
    assert (effect.old_amount, effect.new_amount, effect.currency) == (Decimal(30), Decimal(45), "EUR")
    assert (effect.period_start, effect.period_end) == (day(1), day(32))
    assert stays(effect.subscription) == [("basic", START, None)]


def test_everybody_on_the_plan_moves_at_the_instant() -> None:
    basic, pro = plans_with_fees()
    subscriptions = [agreements.start(agreements.customer(f"c{number}"), basic) for number in range(3)]
    subscribe.end_subscription(subscription=subscriptions[2], ends_at=day(90), actor=None, at=START)
    assert set(carry_out(propose(basic, pro)).values()) == {("moved", "")}
    assert stays(subscriptions[0]) == [("basic", START, CHANGE), ("pro", CHANGE, None)]
    assert stays(subscriptions[2]) == [("basic", START, CHANGE), ("pro", CHANGE, day(90))]
    phase = subscriptions[0].phases.get(plan=pro)
    assert (str(phase.created_by), phase.created_at) == ("fay", NOW)
    assert [str(row.history_user) for row in phase.history.all()] == ["fay"]
    assert audit.find_first_broken_entry() is None
    said = AuditEntry.objects.filter(action="plan_changed").values_list("subject", flat=True)
    assert set(said) == {f"subscription:{each.pk}" for each in subscriptions}


def test_who_is_not_on_the_plan_then_stays_and_the_list_says_why() -> None:
    basic, pro = plans_with_fees()
    later, ended = (agreements.start(agreements.customer(code), basic) for code in ("later", "ended"))
    subscribe.change_plan(subscription=later, plan=agreements.plan("third"), effective_at=day(50), actor=None, at=START)
    subscribe.end_subscription(subscription=ended, ends_at=day(39), actor=None, at=START)
    newcomer = agreements.start(agreements.customer("newcomer"), basic, since=CHANGE)
    assert carry_out(propose(basic, pro)) == {
        "later": ("refused", pricing_move.NOT_RUNNING),
        "newcomer": ("refused", pricing_move.CHANGES_LATER),
    }
    assert stays(newcomer) == [("basic", CHANGE, None)]
    assert stays(ended) == [("basic", START, day(39))]


def test_a_customer_who_pays_for_the_meter_elsewhere_stays() -> None:
    basic, pro = plans_with_fees()
    other, meter = agreements.plan("other"), agreements.meter()
    for plan in (pro, other):
        agreements.set_price(plan, meter=meter)
    one, both = agreements.customer("one"), agreements.customer("both")
    for who in (one, both):
        agreements.start(who, basic)
    agreements.start(both, other)
    assert carry_out(propose(basic, pro)) == {"one": ("moved", ""), "both": ("refused", pricing_move.PRICED_TWICE)}


def test_of_two_subscriptions_of_one_customer_only_one_moves_to_a_plan_with_a_meter() -> None:
    basic, pro = plans_with_fees()
    agreements.set_price(pro, meter=agreements.meter())
    who = agreements.customer()
    first, second = agreements.start(who, basic), agreements.start(who, basic)
    move = propose(basic, pro)
    carry_out(move)
    assert [item.state for item in move.items.order_by("pk")] == ["moved", "refused"]
    assert [len(stays(each)) for each in (first, second)] == [2, 1]


def test_to_the_same_plan_the_prices_that_are_kept_end() -> None:
    basic, _ = plans_with_fees()
    kept, free = (agreements.start(agreements.customer(code), basic) for code in ("kept", "free"))
    agreements.keep_prices(kept, since=day(5), until=day(300))
    assert carry_out(propose(basic, basic)) == {"kept": ("moved", ""), "free": ("refused", pricing_move.NOTHING_KEPT)}
    assert kept.kept_prices.get().ends_at == CHANGE
    assert stays(free) == [("basic", START, None)]


def test_the_effect_of_ending_kept_prices_is_that_of_the_present_ones() -> None:
    basic, _ = plans_with_fees()
    kept = agreements.start(agreements.customer(), basic)
    agreements.keep_prices(kept, since=START, until=day(300))
    agreements.set_price(
        basic, charge="base", model="flat", params={"amount": "60"}, effective_at=START + timedelta(microseconds=1)
    )
    dry_run = propose(basic, basic).effect_runs.get()
    run.answer(run_id=dry_run.pk, at=NOW)
    assert [(each.old_amount, each.new_amount) for each in dry_run.effects.all()] == [(Decimal(30), Decimal(60))]


def test_a_move_that_was_stopped_goes_on_with_those_that_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moves, "CHUNK", 2)
    basic, pro = plans_with_fees()
    subscriptions = [agreements.start(agreements.customer(f"c{number}"), basic) for number in range(5)]
    move = propose(basic, pro)
    moves.approve_move(move_id=move.pk, actor=agreements.approver(), at=NOW)
    real, calls = pricing_move.move_subscriptions, []

    def stop_after_one(ids: list[int], **options: object) -> dict[int, str]:
        calls.append(ids)
        if len(calls) == 2:
            raise RuntimeError("killed")
        return real(ids, **options)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr(pricing_move, "move_subscriptions", stop_after_one)
    with pytest.raises(RuntimeError):
        moves.carry_out(move_id=move.pk, at=NOW)
    assert queries.progress_of(move) == queries.MoveProgress(waiting=3, moved=2, refused=0)
    moves.carry_out(move_id=move.pk, at=NOW)
    assert queries.progress_of(move) == queries.MoveProgress(waiting=0, moved=5, refused=0)
    assert [len(stays(each)) for each in subscriptions] == [2] * 5
    move.refresh_from_db()
    assert move.finished_at == NOW


def test_a_worker_carries_out_what_was_approved_once() -> None:
    basic, pro = plans_with_fees()
    subscription = agreements.start(agreements.customer(), basic)
    move = propose(basic, pro)
    moves.approve_move(move_id=move.pk, actor=agreements.approver(), at=NOW)
    assert work.run_due_jobs(at=NOW) == 2  # the dry run and the move
    moves.carry_out(move_id=move.pk, at=NOW + timedelta(days=1))
    assert len(stays(subscription)) == 2
    move.refresh_from_db()
    assert move.finished_at is not None


def test_nobody_approves_their_own_move_and_only_finance_approves() -> None:
    basic, pro = plans_with_fees()
    own = moves.propose_move(source=basic, target=pro, effective_at=CHANGE, actor=agreements.approver(), at=NOW)
    with pytest.raises(OwnProposalError):
        moves.approve_move(move_id=own.pk, actor=agreements.approver(), at=NOW)
    with pytest.raises(NotAllowedError):
        moves.approve_move(move_id=own.pk, actor=agreements.author(), at=NOW)
    with pytest.raises(NotAllowedError):
        moves.propose_move(source=basic, target=pro, effective_at=CHANGE, actor=agreements.person("o", "ops"), at=NOW)
    decided = "UPDATE effects_planmove SET status = 'approved', decided_at = now(), decided_by_id = created_by_id"
    assert guards.refuses(decided)


def test_a_move_is_decided_once_and_a_withdrawn_one_moves_nobody() -> None:
    basic, pro = plans_with_fees()
    subscription = agreements.start(agreements.customer(), basic)
    move = moves.withdraw_move(move_id=propose(basic, pro).pk, actor=agreements.author(), at=NOW)
    with pytest.raises(moves.MoveDecidedError, match="withdrawn already"):
        moves.approve_move(move_id=move.pk, actor=agreements.approver(), at=NOW)
    with pytest.raises(PlanMove.DoesNotExist):
        moves.carry_out(move_id=move.pk, at=NOW)
    assert len(stays(subscription)) == 1
    assert guards.keeps_its_rows(PlanMove)


@pytest.mark.parametrize("terms", [{"currency": "USD"}, {"interval": "year"}, {"interval_count": 3}])
def test_a_move_keeps_currency_and_interval(terms: dict[str, str]) -> None:
    basic, _ = plans_with_fees()
    with pytest.raises(moves.MoveUnfitError) as refusal:
        propose(basic, agreements.plan("other", **terms))
    assert refusal.value.pointer == "/target"


def test_nobody_moves_to_a_plan_that_is_not_approved() -> None:
    basic, _ = plans_with_fees()
    with pytest.raises(moves.MoveUnfitError, match="Have one approved"):
        propose(basic, agreements.proposed_plan("other"))


def test_the_number_of_statements_does_not_grow_with_the_subscriptions() -> None:
    basic, pro = plans_with_fees()
    agreements.set_price(pro, meter=agreements.meter())

    def count(customers: list[str]) -> int:
        ids = [agreements.start(agreements.customer(code), basic).pk for code in customers]
        with transaction.atomic(), CaptureQueriesContext(connection) as captured:
            pricing_move.move_subscriptions(
                ids, source=basic, target=pro, effective_at=CHANGE, actor=agreements.approver(), at=NOW
            )
        return len(captured)

    assert count(["a"]) == count([f"c{number}" for number in range(20)])
