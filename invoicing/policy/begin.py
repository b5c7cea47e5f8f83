"""Begin a signed policy at its instant if its three signers hold their roles then; otherwise it lapses for good."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, QuerySet

from accounts import roles
from core import activation, audit
from invoicing.policy.models import PolicyBeginning, TriggerPolicy
from invoicing.policy.rules import signing
from invoicing.policy.rules.signing import Signature


def begin_due_policies(*, at: datetime) -> list[PolicyBeginning]:
    """Let every signed version whose instant has come begin, or lapse; a version that was due when signed has begun.

    One that a guard refuses waits on, and the version before it goes on deciding; it is asked about again each time.
    """
    looked_at = [_begin(pk, at=at) for pk in _waiting(at=at).values_list("pk", flat=True)]
    return [beginning for beginning in looked_at if beginning is not None]


def _waiting(*, at: datetime) -> QuerySet[TriggerPolicy]:
    """Signed before their instant, which has come, and not looked at since."""
    return TriggerPolicy.objects.filter(
        status=TriggerPolicy.Status.SIGNED, effective_at__gt=F("decided_at"), effective_at__lte=at, beginning=None
    ).order_by("effective_at", "pk")


@transaction.atomic
def _begin(pk: int, *, at: datetime) -> PolicyBeginning | None:
    policy = TriggerPolicy.objects.select_for_update(of=("self",)).get(pk=pk)
    known = PolicyBeginning.objects.filter(policy=policy).first()
    if known is not None:
        return known  # somebody else was faster
    live = list(policy.sign_offs.filter(voided_at=None).select_related("person"))
    people = User.objects.in_bulk({one.person_id for one in live})
    held = {key: roles.roles_of(person) for key, person in people.items()}
    gone = signing.lapsed((Signature(one.role, one.person_id) for one in live), held=held)
    if not gone and activation.find_refusals(policy, at=at):
        return None
    names = ", ".join(f"{people[one.person_id]} ({one.role})" for one in gone)
    entry = audit.append_entry(
        action="policy.lapsed" if gone else "policy.begun",
        subject=f"policy:{policy.pk}",
        actor=None,
        facts={
            "program": policy.program,
            "version": policy.version,
            "content_hash": policy.content_hash,
            "gone": names,
        },
        at=at,
    )
    return PolicyBeginning.objects.create(policy=policy, holds=not gone, gone=names, at=at, audit_entry=entry)
