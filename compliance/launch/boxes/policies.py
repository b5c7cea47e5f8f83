"""Policy signed: a version by product, finance and ops is in force, and says what was signed."""

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse

from accounts.models import Customer
from compliance.launch.boxes.found import Found
from compliance.launch.rules.boxes import Box
from compliance.launch.rules.proof import Link, Proof
from core.errors import DomainError
from invoicing.policy import queries
from invoicing.policy.models import TriggerPolicy
from invoicing.policy.rules import terms

REMEDY = "Propose a trigger policy for the program and have product, finance and ops sign it."


def programs() -> list[str]:
    """Every program that somebody belongs to or a policy is about; the usual one where there is none."""
    named = {
        *Customer.objects.values_list("program", flat=True),
        *TriggerPolicy.objects.values_list("program", flat=True),
    }
    return sorted(named) or [str(Customer._meta.get_field("program").default)]


def look(*, at: datetime) -> Iterator[Found]:
    """One answer for each program."""
    named = programs()
    in_force = queries.policies_in_force(named, at=at)
    for program in named:
        policy = in_force.get(program)
        yield _missing(program, at=at) if policy is None else _look_at(policy, at=at)


def _missing(program: str, *, at: datetime) -> Found:
    proof = Proof(
        facts=[("Program", program)],
        links=[Link(text="Trigger policies", path=reverse("admin:policy_triggerpolicy_changelist"))],
    )
    return Found(
        box=Box.POLICY_SIGNED,
        program=program,
        is_closed=False,
        said=f"No signed policy decides for {program}, so nothing is invoiced there.",
        remedy=REMEDY,
        proof=proof,
        proved_at=at,
    )


def _look_at(policy: TriggerPolicy, *, at: datetime) -> Found:
    signed = policy.sign_offs.filter(voided_at=None).select_related("person", "audit_entry")
    rows = [
        (one.get_role_display(), str(one.person), f"{one.signed_at:%Y-%m-%d %H:%M} UTC", one.audit_entry.reference)
        for one in signed
    ]
    flaw = _flaw_of(policy)
    page = reverse("admin:policy_triggerpolicy_change", args=[policy.pk])
    return Found(
        box=Box.POLICY_SIGNED,
        program=policy.program,
        is_closed=not flaw,
        said=flaw or f"{policy} is in force since {policy.effective_at:%Y-%m-%d}, signed by {len(rows)} people.",
        remedy=flaw and "Do not bill by it. Propose the next version, and find out who changed the database.",
        proof=Proof(
            facts=[
                ("Policy", str(policy)),
                ("In force from", f"{policy.effective_at:%Y-%m-%d %H:%M} UTC"),
                ("Content hash", policy.content_hash),
            ],
            head=("Role", "Person", "Signed", "Audit reference"),
            rows=rows,
            links=[Link(text=str(policy), path=page)],
        ),
        proved_at=at,
    )


def _flaw_of(policy: TriggerPolicy) -> str:
    """The stored terms have to be readable and hash to what the three signed."""
    try:
        terms.parse_terms(policy.terms)
    except DomainError as error:
        return f"{policy} cannot be read: {error.message}"
    found = terms.hash_of(
        program=policy.program, version=policy.version, effective_at=policy.effective_at, terms=policy.terms
    )
    return "" if found == policy.content_hash else f"The terms of {policy} are not what was signed."
