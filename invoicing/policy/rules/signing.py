"""Who signs a policy: product, finance and ops, three people, none of them its author."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

SIGNING_ROLES = ("product", "finance", "ops")


@dataclass(frozen=True, slots=True)
class Signature:
    """One person's signature in one role."""

    role: str
    person_id: int


def missing_roles(signatures: Iterable[Signature]) -> list[str]:
    """The roles that have not signed, in their usual order."""
    signed = {signature.role for signature in signatures}
    return [role for role in SIGNING_ROLES if role not in signed]


def lapsed(signatures: Iterable[Signature], *, held: Mapping[int, Collection[str]]) -> list[Signature]:
    """Signatures of people who no longer hold the role that they signed in; `held` has the roles of each now."""
    return [one for one in signatures if one.role not in held.get(one.person_id, ())]


def flaw_of(*, role: str, person_id: int, author_id: int | None, signatures: Iterable[Signature]) -> str | None:
    """Why this person may not sign in this role, as a sentence; None where they may."""
    if role not in SIGNING_ROLES:
        return f"A policy is signed by {', '.join(SIGNING_ROLES)}; {role[:40]} does not sign."
    if person_id == author_id:
        return "Whoever proposed a policy does not sign it; ask a colleague."
    for signature in signatures:
        if signature.role == role:
            return f"{role.capitalize()} has signed already."
        if signature.person_id == person_id:
            return f"You have signed for {signature.role} already; three different people sign."
    return None
