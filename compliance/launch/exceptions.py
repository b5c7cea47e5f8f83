"""Signed exceptions: proposed with a reason and an end, signed by finance and ops, over by themselves."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, QuerySet

from accounts import roles
from accounts.roles import Role
from compliance.launch.models import ExceptionSignature, LaunchException
from compliance.launch.rules import exceptions
from compliance.launch.rules.exceptions import SIGNING_ROLES
from core import audit
from core.errors import DomainError, InvalidInputError, NotAllowedError, NotFoundError

PROPOSERS = (Role.PRODUCT, Role.FINANCE, Role.OPS, Role.ENGINEERING)
SIGNERS = (Role.FINANCE, Role.OPS)


class ExceptionOverError(DomainError):
    """Its end has come; nobody signs it any more."""

    code = "exception_over"


class OtherContentError(DomainError):
    """The hash is not that of what would be signed; look at the exception again."""

    code = "exception_content_differs"


@transaction.atomic
def propose_exception(
    *, program: str, boxes: Sequence[str], reason: str, ends_at: datetime, actor: Any, at: datetime
) -> LaunchException:
    """Write down which boxes may stand open until when, and why; it counts for nothing before two people signed it."""
    roles.require_role(actor, *PROPOSERS, to="propose an exception to the launch checklist")
    if flaw := exceptions.flaw_of_boxes(boxes):
        raise InvalidInputError(flaw, pointer="/boxes")
    if not reason.strip():
        raise InvalidInputError("Say why these boxes may stand open.", pointer="/reason")
    if flaw := exceptions.flaw_of_end(ends_at=ends_at, at=at):
        raise InvalidInputError(flaw, pointer="/ends_at")
    named, why = sorted(boxes), reason.strip()
    asked = LaunchException.objects.create(
        program=program,
        boxes=named,
        reason=why,
        ends_at=ends_at,
        content_hash=exceptions.hash_of(program=program, boxes=named, reason=why, ends_at=ends_at),
        proposed_by=actor,
        proposed_at=at,
    )
    _record("launch.exception_proposed", asked, actor=actor, facts={"reason": asked.reason}, at=at)
    return asked


@transaction.atomic
def sign_exception(*, exception_id: int, content_hash: str, role: str, actor: Any, at: datetime) -> LaunchException:
    """One of two signatures, in a role that the person holds now; refused to its author, and after its end."""
    asked = LaunchException.objects.select_for_update(no_key=True, of=("self",)).filter(pk=exception_id).first()
    if asked is None:
        raise NotFoundError(f"There is no exception {exception_id}.")
    if flaw := _flaw_of(asked, role=role, actor=actor):
        raise NotAllowedError(flaw, pointer="/role")
    roles.require_role(actor, Role(role), to=f"sign for {role}")
    if at >= asked.ends_at:
        raise ExceptionOverError(f"{asked} ended at {asked.ends_at:%Y-%m-%d %H:%M} UTC; propose another one.")
    if content_hash != asked.content_hash:
        detail = "This is not the hash of the exception as it stands; read it again and sign what you read."
        raise OtherContentError(detail, pointer="/content_hash")
    entry = _record("launch.exception_signed", asked, actor=actor, facts={"role": role}, at=at)
    ExceptionSignature.objects.create(
        exception=asked, role=role, person=actor, content_hash=content_hash, at=at, audit_entry=entry
    )
    return asked


def in_force(program: str, *, at: datetime) -> QuerySet[LaunchException]:
    """The exceptions of a program that both have signed and whose end has not come."""
    running = LaunchException.objects.filter(program=program, ends_at__gt=at, signatures__at__lte=at)
    return running.annotate(signed=Count("signatures")).filter(signed=len(SIGNING_ROLES)).order_by("pk")


def missing_roles(asked: LaunchException) -> list[str]:
    signed = {one.role for one in asked.signatures.all()}
    return [role for role in SIGNING_ROLES if role not in signed]


def _flaw_of(asked: LaunchException, *, role: str, actor: Any) -> str | None:
    if role not in SIGNING_ROLES:
        return f"An exception is signed by {' and '.join(SIGNING_ROLES)}; {role[:40]} does not sign."
    if actor.pk == asked.proposed_by_id:
        return "Whoever proposed an exception does not sign it; ask a colleague."
    for one in asked.signatures.all():
        if one.role == role:
            return f"{role.capitalize()} has signed already."
        if one.person_id == actor.pk:
            return f"You have signed for {one.role} already; two different people sign."
    return None


def _record(action: str, asked: LaunchException, *, actor: Any, facts: dict[str, Any], at: datetime) -> Any:
    said = {
        "program": asked.program,
        "boxes": asked.boxes,
        "ends_at": asked.ends_at.isoformat(),
        "content_hash": asked.content_hash,
        **facts,
    }
    return audit.append_entry(action=action, subject=f"launch_exception:{asked.pk}", actor=actor, facts=said, at=at)
