"""Gate checks are opened by requirements and moved by decisions, one row and one audit link for each."""

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, ProgrammingError, transaction

from accounts.roles import Role
from compliance.payouts import evidence, gates, register, requirements
from compliance.payouts.models import EvidenceFile, GateCheck, GateDecision, GateRequirement, Payee
from core import audit, personal_keys
from core.errors import DomainError, InvalidInputError, NotAllowedError, NotFoundError
from core.models import AuditEntry
from tests.builders import guards, payouts
from tests.builders.payouts import NOON

pytestmark = pytest.mark.django_db
YEAR = timedelta(days=365)
PDF = b"%PDF-1.7\nproof"


def test_a_new_payee_gets_the_checks_its_program_asks_for() -> None:
    desk = payouts.open_desk(gates=["tax_form", "kyc"])
    made = payouts.payee(desk)
    checks = GateCheck.objects.filter(payee=made).order_by("kind")
    assert [(check.kind, check.state, check.expires_at) for check in checks] == [
        ("kyc", "not_started", None),
        ("tax_form", "not_started", None),
    ]


def test_a_payee_outside_every_program_gets_no_checks() -> None:
    desk = payouts.open_desk()
    stranger = register.register_payee(
        code="elsewhere",
        legal_name="Else Where",
        kind="person",
        program="referral",
        market="US",
        country="US",
        actor=desk.finance,
        at=NOON,
    )
    assert not GateCheck.objects.filter(payee=stranger).exists()


def test_a_new_requirement_opens_what_is_missing_and_leaves_what_stands() -> None:
    desk = payouts.open_desk(gates=["kyc"])
    made = payouts.approved_payee(desk)
    requirements.set_requirement(
        program="marketplace",
        market="EU",
        payee_kind="person",
        gates=["aml", "kyc"],
        effective_at=NOON + timedelta(days=10),
        reason="new rules from March",
        actor=desk.ops,
        at=NOON + timedelta(days=1),
    )
    assert dict(GateCheck.objects.filter(payee=made).values_list("kind", "state")) == {
        "kyc": "approved",
        "aml": "not_started",
    }


def test_a_payee_entered_before_a_later_requirement_has_its_checks_already() -> None:
    desk = payouts.open_desk(gates=["kyc"])
    requirements.set_requirement(
        program="marketplace",
        market="EU",
        payee_kind="person",
        gates=["kyc", "aml"],
        effective_at=NOON + timedelta(days=10),
        reason="new rules from March",
        actor=desk.ops,
        at=NOON + timedelta(days=1),
    )
    made = payouts.payee(desk, at=NOON + timedelta(days=2))
    assert set(made.gate_checks.values_list("kind", flat=True)) == {"kyc", "aml"}


def test_an_approval_is_one_decision_with_evidence_end_and_audit_link() -> None:
    desk = payouts.open_desk()
    check = payouts.check_of(payouts.payee(desk), "kyc")
    file = evidence.add_file(check_id=check.pk, name="passport.pdf", content=PDF, actor=desk.ops, at=NOON)
    decision = payouts.decide(check, "approve", desk=desk, expires_at=NOON + YEAR)
    check.refresh_from_db()
    assert (check.state, check.expires_at) == ("approved", NOON + YEAR)
    assert (decision.from_state, decision.to_state, decision.actor) == ("not_started", "approved", desk.ops)
    assert decision.evidence == "passport and register extract"
    assert decision.documents == [{"name": "passport.pdf", "sha256": file.sha256}]
    assert NOON <= decision.decided_at < NOON + timedelta(minutes=1)
    entry = AuditEntry.objects.get(pk=decision.audit_entry_id)
    assert (entry.action, entry.subject) == ("gate_check.approve", f"gate_check:{check.pk}")
    assert personal_keys.open_text(entry.facts["reason"]) == "looked at the papers"
    assert audit.find_first_broken_entry() is None


def test_the_whole_life_of_a_gate_stays_readable() -> None:
    desk = payouts.open_desk()
    check = payouts.check_of(payouts.payee(desk), "aml")
    for hour, verdict in enumerate(["request", "review", "approve", "approve", "suspend", "review", "reject"]):
        payouts.decide(check, verdict, desk=desk, at=NOON + timedelta(hours=hour))
    moves = GateDecision.objects.filter(gate_check=check).values_list("from_state", "to_state")
    assert list(moves) == [
        ("not_started", "pending"),
        ("pending", "needs_review"),
        ("needs_review", "approved"),
        ("approved", "approved"),
        ("approved", "suspended"),
        ("suspended", "needs_review"),
        ("needs_review", "rejected"),
    ]
    assert apps.get_model("payouts", "HistoricalGateCheck").objects.filter(id=check.pk).count() == 7


def test_a_verdict_that_does_not_follow_is_refused() -> None:
    desk = payouts.open_desk()
    check = payouts.check_of(payouts.payee(desk), "kyc")
    payouts.decide(check, "reject", desk=desk)
    with pytest.raises(DomainError, match="rejected") as refusal:
        payouts.decide(check, "approve", desk=desk)
    assert refusal.value.code == "gate_move"
    assert GateDecision.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"reason": "  ok "}, "/reason"),
        ({"evidence": "  "}, "/evidence"),
        ({"expires_at": NOON}, "/expires_at"),
        ({"verdict": "waive"}, "/verdict"),
        ({"verdict": "reject", "expires_at": NOON + YEAR}, "/expires_at"),
    ],
)
def test_an_approval_needs_a_reason_evidence_and_a_future_end(change: dict[str, Any], pointer: str) -> None:
    desk = payouts.open_desk()
    check = payouts.check_of(payouts.payee(desk), "kyc")
    asked: dict[str, Any] = {
        "verdict": "approve",
        "reason": "passport seen",
        "evidence": "passport",
        "expires_at": None,
        **change,
    }
    with pytest.raises(InvalidInputError) as refusal:
        gates.decide_gate(check_id=check.pk, actor=desk.ops, at=NOON, **asked)
    assert refusal.value.pointer == pointer
    check.refresh_from_db()
    assert check.state == "not_started"


def test_a_rejection_needs_no_evidence() -> None:
    desk = payouts.open_desk()
    check = payouts.check_of(payouts.payee(desk), "kyc")
    gates.decide_gate(
        check_id=check.pk,
        verdict="reject",
        reason="no answer in 90 days",
        evidence="",
        expires_at=None,
        actor=desk.ops,
        at=NOON,
    )
    check.refresh_from_db()
    assert check.state == "rejected"


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.OPS}))
def test_only_ops_decide_gates(role: Role) -> None:
    desk = payouts.open_desk()
    check = payouts.check_of(payouts.payee(desk), "kyc")
    stranger = payouts.person("stranger", role)
    stranger.is_superuser = True
    with pytest.raises(NotAllowedError):
        gates.decide_gate(
            check_id=check.pk,
            verdict="approve",
            reason="because I can",
            evidence="none",
            expires_at=None,
            actor=stranger,
            at=NOON,
        )


def test_whoever_entered_the_payee_cannot_open_its_gates_but_may_shut_them() -> None:
    desk = payouts.open_desk()
    made = register.register_payee(
        code="ghost",
        legal_name="Ghost Example",
        kind="person",
        program="marketplace",
        market="EU",
        country="DE",
        actor=desk.ops,
        at=NOON,
    )
    check = payouts.check_of(made, "kyc")
    with pytest.raises(NotAllowedError) as refusal:
        payouts.decide(check, "approve", desk=desk)
    assert refusal.value.code == "four_eyes"
    payouts.decide(check, "reject", desk=desk)
    check.refresh_from_db()
    assert check.state == "rejected"


def test_an_unknown_check_is_not_found() -> None:
    desk = payouts.open_desk()
    with pytest.raises(NotFoundError):
        gates.decide_gate(
            check_id=999_999,
            verdict="approve",
            reason="passport seen",
            evidence="passport",
            expires_at=None,
            actor=desk.ops,
            at=NOON,
        )


def test_the_same_document_on_one_gate_is_stored_once() -> None:
    desk = payouts.open_desk()
    check = payouts.check_of(payouts.payee(desk), "kyc")
    first = evidence.add_file(check_id=check.pk, name="a.pdf", content=PDF, actor=desk.ops, at=NOON)
    again = evidence.add_file(check_id=check.pk, name="b.pdf", content=PDF, actor=desk.ops, at=NOON)
    assert first.pk == again.pk
    assert bytes(EvidenceFile.objects.get().content) == PDF


@pytest.mark.parametrize("content", [b"", b"<html></html>", b"%PDF-" + b"x" * (5 * 1024 * 1024)])
def test_evidence_is_a_bounded_pdf_png_or_jpeg(content: bytes) -> None:
    desk = payouts.open_desk()
    check = payouts.check_of(payouts.payee(desk), "kyc")
    with pytest.raises(InvalidInputError):
        evidence.add_file(check_id=check.pk, name="a.pdf", content=content, actor=desk.ops, at=NOON)


def test_requirements_cannot_begin_in_the_past_name_no_gate_or_an_unknown_one() -> None:
    desk = payouts.open_desk()
    usable: dict[str, Any] = {
        "program": "referral",
        "market": "EU",
        "payee_kind": "person",
        "gates": ["kyc"],
        "effective_at": None,
        "reason": "launch",
    }
    changes: list[dict[str, Any]] = [
        {"gates": []},
        {"gates": ["kyc", "horoscope"]},
        {"effective_at": NOON - timedelta(seconds=1)},
        {"payee_kind": "robot"},
        {"reason": " "},
    ]
    for change in changes:
        with pytest.raises(InvalidInputError):
            requirements.set_requirement(**{**usable, **change}, actor=desk.ops, at=NOON)
    assert GateRequirement.objects.count() == 1


def test_two_versions_of_a_requirement_cannot_begin_together() -> None:
    desk = payouts.open_desk()
    with pytest.raises(DomainError) as refusal:
        payouts.open_desk()
    assert refusal.value.code == "requirement_exists"
    assert desk.ops.pk


def test_a_payee_code_is_given_once() -> None:
    desk = payouts.open_desk()
    payouts.payee(desk, "anna")
    with pytest.raises(DomainError) as refusal:
        payouts.payee(desk, "anna")
    assert refusal.value.code == "payee_exists"


# What PostgreSQL refuses even to somebody who goes round the stages.


def test_no_gate_opens_or_is_prolonged_without_a_decision() -> None:
    desk = payouts.open_desk()
    made = payouts.payee(desk)
    check = payouts.check_of(made, "kyc")
    assert guards.refuses("UPDATE payouts_gatecheck SET state = 'approved' WHERE id = %s", [check.pk])
    payouts.decide(check, "approve", desk=desk, expires_at=NOON + YEAR)
    assert guards.refuses("UPDATE payouts_gatecheck SET expires_at = NULL WHERE id = %s", [check.pk])
    assert guards.refuses("UPDATE payouts_gatecheck SET state = 'completed' WHERE id = %s", [check.pk])
    assert guards.refuses(
        "INSERT INTO payouts_gatecheck (payee_id, kind, state, opened_at) VALUES (%s, 'kyb', 'approved', now())",
        [made.pk],
    )
    assert not guards.refuses("UPDATE payouts_gatecheck SET state = state WHERE id = %s", [check.pk])


def test_decisions_documents_and_requirements_never_change() -> None:
    desk = payouts.open_desk()
    check = payouts.check_of(payouts.payee(desk), "kyc")
    evidence.add_file(check_id=check.pk, name="a.pdf", content=PDF, actor=desk.ops, at=NOON)
    payouts.decide(check, "approve", desk=desk)
    for model in (GateDecision, EvidenceFile, GateRequirement):
        assert guards.keeps_its_rows(model)
    assert guards.refuses("UPDATE payouts_gatedecision SET reason = 'another'")
    assert guards.refuses("UPDATE payouts_gaterequirement SET gates = ARRAY['kyc']::varchar[]")
    assert guards.refuses("UPDATE payouts_gaterequirement SET effective_at = effective_at")
    assert guards.keeps_its_rows(GateCheck)
    assert guards.refuses("UPDATE payouts_payee SET legal_name = 'Somebody Else'")
    assert Payee.objects.get().legal_name == "Anna Example"


def test_the_database_knows_four_eyes_too() -> None:
    desk = payouts.open_desk()
    check = payouts.check_of(payouts.payee(desk), "kyc")
    decision = payouts.decide(check, "approve", desk=desk)
    entry = audit.append_entry(action="test", subject="test", actor=None, facts={}, at=NOON)
    forged = GateDecision(
        gate_check=check,
        verdict="approve",
        from_state="approved",
        to_state="approved",
        reason="self-service",
        evidence="none",
        actor=desk.finance,
        decided_at=decision.decided_at,
        audit_entry=entry,
    )
    with pytest.raises(ProgrammingError, match="cannot approve"), transaction.atomic():
        forged.save(force_insert=True)


def test_an_approval_without_any_evidence_is_refused_by_the_database() -> None:
    desk = payouts.open_desk()
    check = payouts.check_of(payouts.payee(desk), "kyc")
    entry = audit.append_entry(action="test", subject="test", actor=None, facts={}, at=NOON)
    with pytest.raises(IntegrityError), transaction.atomic():
        GateDecision.objects.create(
            gate_check=check,
            verdict="approve",
            from_state="not_started",
            to_state="approved",
            reason="trust me",
            actor=desk.ops,
            decided_at=NOON,
            audit_entry=entry,
        )
