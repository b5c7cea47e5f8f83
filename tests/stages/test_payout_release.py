"""A release looks at every gate again, pays what is open once and in full, and records why the rest is blocked."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.roles import Role
from compliance.payouts import batches, payables, queries, release, requirements
from compliance.payouts.models import BatchItem, GateCheck, Payable, Payout, PayoutBatch, ReleaseDecision
from core import audit
from core.errors import DomainError, InvalidInputError, NotAllowedError, NotFoundError
from tests.builders import guards, payouts
from tests.builders.payouts import NOON, Desk

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def released(desk: Desk, batch: PayoutBatch, *, at: datetime = NOON) -> list[ReleaseDecision]:
    return release.release_batch(batch_id=batch.pk, actor=desk.other_ops, at=at)


def test_a_payable_whose_every_gate_is_open_becomes_one_payout_in_full() -> None:
    desk = payouts.open_desk()
    owed = payouts.payable(desk, payouts.approved_payee(desk), "100.00")
    [decision] = released(desk, payouts.batch(desk, [owed]))
    assert decision.outcome == "released"
    assert decision.reasons == []
    payout = Payout.objects.get()
    assert (payout.payable, payout.decision, payout.amount, payout.currency) == (owed, decision, Decimal(100), "EUR")
    assert payout.instructed_at == decision.decided_at


def test_the_decision_keeps_every_verdict_what_it_rests_on_and_one_audit_reference() -> None:
    desk = payouts.open_desk()
    made = payouts.approved_payee(desk, expires_at=NOON + 90 * DAY)
    [decision] = released(desk, payouts.batch(desk, [payouts.payable(desk, made)]))
    assert [(gate["gate"], gate["state"], gate["passed"]) for gate in decision.gates] == [
        ("kyc", "approved", True),
        ("aml", "approved", True),
        ("tax_form", "approved", True),
    ]
    kyc = payouts.check_of(made, "kyc")
    latest = kyc.decisions.get()
    assert decision.gates[0]["gate_check"] == kyc.pk
    assert decision.gates[0]["audit_reference"] == latest.audit_entry.reference
    assert decision.inputs["required"] == ["kyc", "aml", "tax_form"]
    assert (decision.inputs["program"], decision.inputs["market"]) == ("marketplace", "EU")
    entry = decision.audit_entry
    assert (entry.action, entry.subject, entry.actor) == (
        "payable.released",
        f"payable:{decision.payable_id}",
        desk.other_ops,
    )
    assert entry.facts["gates"] == decision.gates
    assert audit.find_first_broken_entry() is None


def test_one_shut_gate_blocks_only_its_payee_and_says_why() -> None:
    desk = payouts.open_desk()
    good, bad = payouts.approved_payee(desk, "anna"), payouts.approved_payee(desk, "bert")
    payouts.decide(payouts.check_of(bad, "aml"), "suspend", desk=desk)
    batch = payouts.batch(
        desk, [payouts.payable(desk, good), payouts.payable(desk, bad), payouts.payable(desk, bad, reference="ORDER-2")]
    )
    decisions = released(desk, batch)
    assert [(made.payable.payee.code, made.outcome, made.reasons) for made in decisions] == [
        ("anna", "released", []),
        ("bert", "blocked", ["AML: suspended"]),
        ("bert", "blocked", ["AML: suspended"]),
    ]
    assert len({made.audit_entry.reference for made in decisions}) == 3
    assert Payout.objects.count() == 1


def test_a_second_release_decides_only_what_was_blocked() -> None:
    desk = payouts.open_desk()
    good, bad = payouts.approved_payee(desk, "anna"), payouts.approved_payee(desk, "bert")
    payouts.decide(payouts.check_of(bad, "kyc"), "review", desk=desk)
    batch = payouts.batch(desk, [payouts.payable(desk, good), payouts.payable(desk, bad)])
    first = released(desk, batch)
    payouts.decide(payouts.check_of(bad, "kyc"), "approve", desk=desk, at=NOON + DAY)
    second = released(desk, batch, at=NOON + 2 * DAY)
    assert [made.outcome for made in second] == ["released", "released"]
    assert second[0] == first[0]
    assert second[1] != first[1]
    assert Payout.objects.count() == 2
    assert released(desk, batch, at=NOON + 3 * DAY) == second
    assert ReleaseDecision.objects.count() == 3


@pytest.mark.parametrize(
    ("wait", "outcome"), [(timedelta(days=10) - timedelta(minutes=1), "released"), (timedelta(days=10), "blocked")]
)
def test_an_approval_counts_until_its_end_and_not_at_it(wait: timedelta, outcome: str) -> None:
    desk = payouts.open_desk()
    made = payouts.approved_payee(desk, expires_at=NOON + 10 * DAY)
    batch = payouts.batch(desk, [payouts.payable(desk, made)])
    [decision] = released(desk, batch, at=NOON + wait)
    assert decision.outcome == outcome


def test_requirements_count_as_they_are_at_the_release_and_not_when_the_payable_was_entered() -> None:
    desk = payouts.open_desk(gates=["kyc"])
    owed = [payouts.payable(desk, payouts.approved_payee(desk), reference=name) for name in ["A"]]
    batch = payouts.batch(desk, owed)
    requirements.set_requirement(
        program="marketplace",
        market="EU",
        payee_kind="person",
        gates=["kyc", "aml"],
        effective_at=NOON + 5 * DAY,
        reason="new screening rule",
        actor=desk.ops,
        at=NOON + DAY,
    )
    later = PayoutBatch.objects.get(pk=batch.pk)
    lines = queries.batch_lines(later, at=NOON + 5 * DAY - timedelta(seconds=1))
    assert [line.judgement.outcome for line in lines if line.judgement] == ["released"]
    [decision] = released(desk, batch, at=NOON + 5 * DAY)
    assert (decision.outcome, decision.reasons) == ("blocked", ["AML: not started"])


def test_a_payee_under_no_requirement_is_not_paid() -> None:
    desk = payouts.open_desk()
    made = payouts.approved_payee(desk, at=NOON)
    batch = payouts.batch(desk, [payouts.payable(desk, made)])
    [decision] = released(desk, batch, at=NOON - DAY)
    assert decision.outcome == "blocked"
    assert decision.reasons == ["No gate requirements are in force for this program, market and kind of payee."]
    assert decision.gates == []


def test_a_withdrawn_payable_is_left_alone() -> None:
    desk = payouts.open_desk()
    made = payouts.approved_payee(desk)
    kept, gone = payouts.payable(desk, made), payouts.payable(desk, made, reference="ORDER-2")
    batch = payouts.batch(desk, [kept, gone])
    payables.withdraw_payable(payable_id=gone.pk, reason="entered twice", actor=desk.finance, at=NOON)
    assert [decision.payable for decision in released(desk, batch)] == [kept]
    assert Payout.objects.get().payable == kept
    with pytest.raises(DomainError, match="paid or withdrawn"):
        payables.withdraw_payable(payable_id=kept.pk, reason="too late", actor=desk.finance, at=NOON)


def test_whoever_made_the_batch_cannot_release_it_even_as_ops() -> None:
    desk = payouts.open_desk()
    both = payouts.person("both", "finance", "ops")
    owed = payouts.payable(desk, payouts.approved_payee(desk))
    batch = batches.make_batch(reference="MINE", payable_ids=[owed.pk], actor=both, at=NOON)
    with pytest.raises(NotAllowedError) as refusal:
        release.release_batch(batch_id=batch.pk, actor=both, at=NOON)
    assert refusal.value.code == "four_eyes"
    assert not Payout.objects.exists()


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.OPS}))
def test_only_ops_release(role: Role) -> None:
    desk = payouts.open_desk()
    batch = payouts.batch(desk, [payouts.payable(desk, payouts.approved_payee(desk))])
    stranger = payouts.person("stranger", role)
    stranger.is_superuser = True
    with pytest.raises(NotAllowedError):
        release.release_batch(batch_id=batch.pk, actor=stranger, at=NOON)
    assert not ReleaseDecision.objects.exists()


def test_an_unknown_batch_is_not_found() -> None:
    desk = payouts.open_desk()
    with pytest.raises(NotFoundError):
        release.release_batch(batch_id=404, actor=desk.ops, at=NOON)


def test_a_payable_stands_in_one_batch_only() -> None:
    desk = payouts.open_desk()
    owed = payouts.payable(desk, payouts.payee(desk))
    payouts.batch(desk, [owed])
    with pytest.raises(DomainError, match="in batch BATCH-1 already"):
        payouts.batch(desk, [owed], "BATCH-2")
    with pytest.raises(InvalidInputError, match="no payable 9999"):
        batches.make_batch(reference="BATCH-3", payable_ids=[9999], actor=desk.finance, at=NOON)
    with pytest.raises(InvalidInputError, match="1 to 5000"):
        batches.make_batch(reference="BATCH-3", payable_ids=[], actor=desk.finance, at=NOON)
    other = payouts.payable(desk, owed.payee, reference="ORDER-2")
    with pytest.raises(DomainError, match="BATCH-1 already"):
        payouts.batch(desk, [other], "BATCH-1")


def test_a_debt_is_entered_once_whatever_is_repeated() -> None:
    desk = payouts.open_desk()
    made = payouts.payee(desk)
    payouts.payable(desk, made, "10.00")
    with pytest.raises(DomainError) as refusal:
        payouts.payable(desk, made, "12.00")
    assert refusal.value.code == "payable_exists"
    assert Payable.objects.get().amount == 10


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("0", "EUR"),
        ("-1", "EUR"),
        ("0.001", "EUR"),
        ("1.5", "JPY"),
        ("NaN", "EUR"),
        ("Infinity", "EUR"),
        ("2e15", "EUR"),
    ],
)
def test_an_amount_is_positive_bounded_and_in_whole_minor_units(amount: str, currency: str) -> None:
    desk = payouts.open_desk()
    made = payouts.payee(desk)
    with pytest.raises(InvalidInputError):
        payables.record_payable(
            payee=made, reference="X", amount=Decimal(amount), currency=currency, actor=desk.finance, at=NOON
        )


def test_three_decimals_are_money_in_kuwait() -> None:
    desk = payouts.open_desk()
    owed = payables.record_payable(
        payee=payouts.approved_payee(desk),
        reference="X",
        amount=Decimal("1.005"),
        currency="KWD",
        actor=desk.finance,
        at=NOON,
    )
    released(desk, payouts.batch(desk, [owed]))
    assert Payout.objects.get().amount == Decimal("1.005")


def test_the_number_of_queries_does_not_grow_with_the_batch() -> None:
    desk = payouts.open_desk()
    counts = []
    for size in (2, 12):
        owed = [payouts.payable(desk, payouts.approved_payee(desk, f"p{size}-{number}")) for number in range(size)]
        batch = payouts.batch(desk, owed, f"SIZE-{size}")
        with CaptureQueriesContext(connection) as seen:
            assert len(released(desk, batch)) == size
        with CaptureQueriesContext(connection) as looked:
            queries.batch_lines(batch, at=NOON)
        counts.append((len(seen), len(looked)))
    assert counts[0] == counts[1]


# What PostgreSQL refuses even to somebody who goes round the stages.


def forged_decision(batch: PayoutBatch, owed: Payable, actor: User, outcome: str = "released") -> ReleaseDecision:
    entry = audit.append_entry(action="test", subject="test", actor=None, facts={}, at=NOON)
    return ReleaseDecision(
        batch=batch,
        payable=owed,
        outcome=outcome,
        gates=[],
        inputs={},
        reasons=[] if outcome == "released" else ["test"],
        actor=actor,
        decided_at=NOON + timedelta(minutes=5),
        audit_entry=entry,
    )


def forged_payout(decision: ReleaseDecision, **change: Any) -> Payout:
    owed = decision.payable
    facts: dict[str, Any] = {"payable": owed, "decision": decision, "amount": owed.amount, "currency": owed.currency}
    return Payout(**{**facts, **change}, instructed_at=NOON)


def test_no_payout_passes_a_shut_gate_however_it_is_written() -> None:
    desk = payouts.open_desk()
    made = payouts.approved_payee(desk, expires_at=NOON + timedelta(minutes=5))
    owed = payouts.payable(desk, made)
    batch = payouts.batch(desk, [owed])
    decision = forged_decision(batch, owed, desk.other_ops)
    decision.save()
    with pytest.raises(ProgrammingError, match="behind a closed gate"), transaction.atomic():
        forged_payout(decision).save()  # expired at that very instant


def test_a_payout_is_exactly_the_released_debt() -> None:
    desk = payouts.open_desk()
    made = payouts.approved_payee(desk)
    owed, other = payouts.payable(desk, made), payouts.payable(desk, made, "7.00", reference="ORDER-2")
    batch = payouts.batch(desk, [owed, other])
    decision = forged_decision(batch, owed, desk.other_ops)
    decision.save()
    changes: list[dict[str, Any]] = [{"amount": Decimal("100.01")}, {"amount": Decimal(1)}, {"payable": other}]
    for change in [*changes, {"currency": "USD"}]:
        with pytest.raises(ProgrammingError, match="does not match"), transaction.atomic():
            forged_payout(decision, **change).save()
    blocked = forged_decision(batch, other, desk.other_ops, outcome="blocked")
    blocked.save()
    with pytest.raises(ProgrammingError, match="does not match"), transaction.atomic():
        forged_payout(blocked).save()
    forged_payout(decision).save()
    assert guards.refuses(
        "INSERT INTO payouts_payout (payable_id, decision_id, amount, currency, instructed_at)"
        " SELECT payable_id, decision_id, amount, currency, now() FROM payouts_payout"
    )


def test_the_database_refuses_the_maker_and_payables_of_other_batches() -> None:
    desk = payouts.open_desk()
    made = payouts.approved_payee(desk)
    owed, other = payouts.payable(desk, made), payouts.payable(desk, made, reference="ORDER-2")
    batch = payouts.batch(desk, [owed])
    with pytest.raises(ProgrammingError, match="cannot release it"), transaction.atomic():
        forged_decision(batch, owed, desk.finance).save()
    with pytest.raises(ProgrammingError, match="not in batch"), transaction.atomic():
        forged_decision(batch, other, desk.other_ops).save()


def test_decisions_payouts_and_debts_never_change() -> None:
    desk = payouts.open_desk()
    owed = payouts.payable(desk, payouts.approved_payee(desk))
    released(desk, payouts.batch(desk, [owed]))
    for model in (ReleaseDecision, Payout, PayoutBatch, BatchItem, Payable):
        assert guards.keeps_its_rows(model)
    assert guards.refuses("UPDATE payouts_payable SET amount = 1")
    assert guards.refuses("UPDATE payouts_payable SET withdrawn_at = now(), withdrawn_by_id = %s", [desk.ops.pk])
    assert guards.refuses("UPDATE payouts_payout SET amount = 1")
    assert guards.refuses("UPDATE payouts_releasedecision SET outcome = 'blocked'")
    assert guards.refuses("UPDATE payouts_batchitem SET batch_id = batch_id")


def test_nothing_is_decided_when_the_release_fails_half_way(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = payouts.open_desk()
    owed = payouts.payable(desk, payouts.approved_payee(desk))
    batch = payouts.batch(desk, [owed])

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr(release, "_instruct", fail)
    with pytest.raises(RuntimeError):
        released(desk, batch)
    assert not ReleaseDecision.objects.exists()
    assert GateCheck.objects.filter(state="approved").count() == 3
