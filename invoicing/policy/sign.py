"""Sign a policy: with the third signature it counts, if all three still hold their roles at that instant."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from accounts import roles
from accounts.roles import Role
from core import activation, audit
from core.errors import DomainError, NotAllowedError
from invoicing.policy import propose
from invoicing.policy.models import SignOff, TriggerPolicy
from invoicing.policy.rules import signing
from invoicing.policy.rules.signing import Signature


class OtherContentError(DomainError):
    """The hash is not that of what would be signed; look at the policy again."""

    code = "policy_content_differs"


class SignaturesLapsedError(DomainError):
    """Somebody who signed earlier no longer holds the role; it has to be signed again in that role."""

    code = "signatures_lapsed"


class SameInstantError(DomainError):
    """Another signed version of the program begins at the same instant."""

    code = "policy_same_instant"


def sign_policy(*, policy_id: int, content_hash: str, role: str, actor: Any, at: datetime) -> TriggerPolicy:
    """Give one signature; the third puts the version in force from its instant on, or from now if that has passed.

    Where an earlier signer has lost the role since, that signature is void, this one stands, and
    SignaturesLapsedError says who has to sign again.
    """
    gone: list[SignOff] = []
    with transaction.atomic():
        policy = propose.lock_proposal(policy_id)
        _require_signer(policy, content_hash=content_hash, role=role, actor=actor)
        _add_signature(policy, role=role, actor=actor, at=at)
        live = list(policy.sign_offs.filter(voided_at=None).select_related("person"))
        if not signing.missing_roles(_signatures(live)):
            gone = _void_lapsed(live, at=at)
            if not gone:
                _put_in_force(policy, live, actor=actor, at=at)
    if gone:
        names = ", ".join(f"{one.person} ({one.role})" for one in gone)
        raise SignaturesLapsedError(f"No longer in the role they signed in: {names}. Have somebody in it sign again.")
    return policy


def _require_signer(policy: TriggerPolicy, *, content_hash: str, role: str, actor: Any) -> None:
    """The role is asked of the person's groups now; being a superuser does not help."""
    if actor is None:
        raise NotAllowedError("People sign policies; work in the background does not.")
    signatures = _signatures(policy.sign_offs.filter(voided_at=None))
    flaw = signing.flaw_of(role=role, person_id=actor.pk, author_id=policy.proposed_by_id, signatures=signatures)
    if flaw is not None:
        raise NotAllowedError(flaw, pointer="/role")
    roles.require_role(actor, Role(role), to=f"sign for {role}")
    if content_hash != policy.content_hash:
        detail = "This is not the hash of the policy as it stands; read it again and sign what you read."
        raise OtherContentError(detail, pointer="/content_hash")


def _add_signature(policy: TriggerPolicy, *, role: str, actor: Any, at: datetime) -> None:
    facts = {"role": role, "content_hash": policy.content_hash, "version": policy.version, "program": policy.program}
    entry = audit.append_entry(action="policy.sign_off", subject=f"policy:{policy.pk}", actor=actor, facts=facts, at=at)
    SignOff.objects.create(
        policy=policy, role=role, person=actor, content_hash=policy.content_hash, signed_at=at, audit_entry=entry
    )


def _void_lapsed(live: list[SignOff], *, at: datetime) -> list[SignOff]:
    people = User.objects.in_bulk({one.person_id for one in live})
    held = {pk: roles.roles_of(person) for pk, person in people.items()}
    lapsed = {signature.role for signature in signing.lapsed(_signatures(live), held=held)}
    gone = [one for one in live if one.role in lapsed]
    SignOff.objects.filter(pk__in=[one.pk for one in gone]).update(voided_at=at)
    return gone


def _put_in_force(policy: TriggerPolicy, live: Iterable[SignOff], *, actor: Any, at: datetime) -> None:
    activation.require_unopposed(policy, at=at)
    facts = {"signed_by": {one.role: one.person_id for one in live}}
    try:
        with transaction.atomic():
            propose.move_policy(policy, to_status=TriggerPolicy.Status.SIGNED, actor=actor, facts=facts, at=at)
    except IntegrityError as error:
        detail = f"A signed version of {policy.program} begins at that very instant; withdraw this one."
        raise SameInstantError(detail) from error


def _signatures(sign_offs: Iterable[SignOff]) -> list[Signature]:
    return [Signature(one.role, one.person_id) for one in sign_offs]
