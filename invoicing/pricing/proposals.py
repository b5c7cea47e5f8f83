"""Decides on proposed versions: one person writes them, another puts them in force or turns them down."""

from datetime import datetime
from typing import Any

from django.db.models import Max, QuerySet

from accounts import roles
from accounts.roles import Role
from core import activation, audit
from core.errors import DomainError, NotAllowedError
from invoicing.pricing.models import Proposal, ProposalStatus

AUTHORS = frozenset({Role.PRODUCT, Role.FINANCE})
APPROVERS = frozenset({Role.FINANCE})


class NotProposedError(DomainError):
    """The version was decided on already."""

    code = "not_proposed"


class OwnProposalError(NotAllowedError):
    """Who wrote a version does not approve it."""

    code = "own_proposal"


class EarlierThanInForceError(DomainError):
    """The effective instant lies before that of a version which is in force already."""

    code = "earlier_than_in_force"


class SupersededError(DomainError):
    """A later version of the same effective instant is approved: this one would never count."""

    code = "superseded"


def check_author(actor: Any) -> None:
    """Refuse who may not propose plans and prices."""
    roles.require_role(actor, *sorted(AUTHORS), to="propose plans and prices")


def next_version(siblings: QuerySet[Any], *, effective_at: datetime, at: datetime) -> int:
    """The number of a new version, where its effective instant may be proposed; the caller holds the lock."""
    check_after_in_force(siblings, effective_at=effective_at, at=at)
    last: int | None = siblings.aggregate(last=Max("version"))["last"]
    return (last or 0) + 1


def check_after_in_force(siblings: QuerySet[Any], *, effective_at: datetime, at: datetime) -> None:
    """What has come into force is followed, never rewritten."""
    begun = siblings.filter(status=ProposalStatus.APPROVED, effective_at__lte=at)
    newest: datetime | None = begun.aggregate(newest=Max("effective_at"))["newest"]
    if newest is not None and effective_at <= newest:
        detail = f"The version in force began at {newest:%Y-%m-%d %H:%M:%S} UTC; a new one must begin after that."
        raise EarlierThanInForceError(detail, pointer="/effective_at")


def record_proposal(version: Proposal, *, subject: str, facts: dict[str, Any]) -> None:
    """Note in the audit chain who proposed what."""
    said = {**facts, "effective_at": version.effective_at.isoformat()}
    audit.append_entry(
        action="version_proposed", subject=subject, actor=version.created_by, facts=said, at=version.created_at
    )


def approve(version: Proposal, *, siblings: QuerySet[Any], subject: str, actor: Any, at: datetime) -> None:
    """Put a proposed version in force from its instant on; the caller holds the lock on all its siblings."""
    roles.require_role(actor, *APPROVERS, to="approve plans and prices")
    _check_proposed(version)
    if version.created_by_id == actor.pk:
        raise OwnProposalError("You proposed this version; somebody else in finance has to approve it.")
    check_after_in_force(siblings, effective_at=version.effective_at, at=at)
    approved = siblings.filter(status=ProposalStatus.APPROVED, effective_at=version.effective_at)
    later = approved.filter(version__gt=version.version).first()
    if later is not None:
        detail = f"Version {later.version} of the same instant is approved and would count instead; withdraw this one."
        raise SupersededError(detail)
    activation.require_unopposed(version, at=at)
    _decide(version, ProposalStatus.APPROVED, subject=subject, actor=actor, at=at)


def withdraw(version: Proposal, *, subject: str, actor: Any, at: datetime) -> None:
    """Turn a proposed version down; it is kept, and never counts."""
    roles.require_role(actor, *sorted(AUTHORS), to="withdraw proposed plans and prices")
    _check_proposed(version)
    _decide(version, ProposalStatus.WITHDRAWN, subject=subject, actor=actor, at=at)


def _check_proposed(version: Proposal) -> None:
    if version.status != ProposalStatus.PROPOSED:
        state = ProposalStatus(version.status).label.lower()
        raise NotProposedError(f"Version {version.version} is {state} already; propose a new version instead.")


def _decide(version: Proposal, verdict: ProposalStatus, *, subject: str, actor: Any, at: datetime) -> None:
    version.status, version.decided_by, version.decided_at = verdict, actor, at
    version.save(update_fields=["status", "decided_by", "decided_at"])
    audit.append_entry(action=f"version_{verdict}", subject=subject, actor=actor, facts={}, at=at)
