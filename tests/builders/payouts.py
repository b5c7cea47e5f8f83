"""People, payees and money for the tests of payouts, made through the stages themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from django.contrib.auth.models import Group, User

from compliance.payouts import batches, gates, payables, register, requirements
from compliance.payouts.models import GateCheck, GateDecision, Payable, Payee, PayoutBatch

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
EVERY_GATE = ("kyc", "aml", "tax_form")


def person(name: str, *roles: str) -> User:
    """Staff with these roles."""
    user, _ = User.objects.get_or_create(username=name, defaults={"is_staff": True})
    user.groups.set([Group.objects.get_or_create(name=role)[0] for role in roles])
    return user


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The people of a small payouts desk, on the day of the requirement."""

    finance: User
    ops: User
    other_ops: User


def open_desk(*, gates: Sequence[str] = EVERY_GATE, at: datetime = NOON) -> Desk:
    """Staff, and a requirement for persons of the marketplace program in the EU."""
    desk = Desk(finance=person("fina", "finance"), ops=person("opal", "ops"), other_ops=person("otto", "ops"))
    requirements.set_requirement(
        program="marketplace",
        market="EU",
        payee_kind="person",
        gates=gates,
        effective_at=None,
        reason="launch of the program",
        actor=desk.ops,
        at=at,
    )
    return desk


def payee(desk: Desk, code: str = "anna", *, at: datetime = NOON) -> Payee:
    return register.register_payee(
        code=code,
        legal_name=f"{code.title()} Example",
        kind="person",
        program="marketplace",
        market="EU",
        country="DE",
        actor=desk.finance,
        at=at,
    )


def check_of(of: Payee, kind: str) -> GateCheck:
    return GateCheck.objects.get(payee=of, kind=kind)


def decide(
    check: GateCheck, verdict: str, *, desk: Desk, expires_at: datetime | None = None, at: datetime = NOON
) -> GateDecision:
    return gates.decide_gate(
        check_id=check.pk,
        verdict=verdict,
        reason="looked at the papers",
        evidence="passport and register extract",
        expires_at=expires_at,
        actor=desk.ops,
        at=at,
    )


def approved_payee(desk: Desk, code: str = "anna", *, expires_at: datetime | None = None, at: datetime = NOON) -> Payee:
    """A payee whose every gate is open."""
    made = payee(desk, code, at=at)
    for check in GateCheck.objects.filter(payee=made):
        decide(check, "approve", desk=desk, expires_at=expires_at, at=at)
    return made


def payable(
    desk: Desk, to: Payee, amount: str = "100.00", *, reference: str = "ORDER-1", at: datetime = NOON
) -> Payable:
    return payables.record_payable(
        payee=to, reference=reference, amount=Decimal(amount), currency="EUR", actor=desk.finance, at=at
    )


def batch(desk: Desk, of: Sequence[Payable], reference: str = "BATCH-1", *, at: datetime = NOON) -> PayoutBatch:
    return batches.make_batch(reference=reference, payable_ids=[owed.pk for owed in of], actor=desk.finance, at=at)
