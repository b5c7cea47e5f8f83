"""Which version of the checklist counts, and how the next one comes to: proposed by one person, approved by another."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max, Q

from accounts import roles
from accounts.roles import Role
from compliance.launch.models import ChecklistApproval, ChecklistVersion
from compliance.launch.rules import checklist
from compliance.launch.rules.checklist import Checklist
from core import audit, locks
from core.errors import DomainError, InvalidInputError, NotAllowedError, NotFoundError

KEEPERS = (Role.PRODUCT, Role.FINANCE, Role.OPS, Role.ENGINEERING)


class ChecklistDecidedError(DomainError):
    """The version is approved already, or a later one is."""

    code = "checklist_decided"


def in_force() -> ChecklistVersion:
    """The highest approved version; the first one needs no approval."""
    known = ChecklistVersion.objects.filter(Q(version=1) | Q(approval__isnull=False))
    return known.order_by("-version")[0]


def terms_of(version: ChecklistVersion) -> Checklist:
    """The rules that a stored version says."""
    return checklist.read_checklist(version.terms)


@transaction.atomic
def propose_version(*, terms: Any, reason: str, actor: Any, at: datetime) -> ChecklistVersion:
    """Write down the next version; what it leaves out has its usual rule. It counts once somebody else approves it."""
    roles.require_role(actor, *KEEPERS, to="propose a launch checklist")
    if not reason.strip():
        raise InvalidInputError("Say why the checklist changes.", pointer="/reason")
    read = checklist.read_checklist(terms)
    locks.lock_exclusive(locks.LockClass.LAUNCH)  # the next version number
    newest = ChecklistVersion.objects.aggregate(newest=Max("version"))["newest"]
    version = ChecklistVersion.objects.create(
        version=newest + 1,
        terms=checklist.write_checklist(read),
        reason=reason.strip(),
        proposed_by=actor,
        proposed_at=at,
    )
    facts = {"version": version.version, "terms": version.terms, "reason": version.reason}
    audit.append_entry(
        action="launch.checklist_proposed", subject=f"checklist:{version.version}", actor=actor, facts=facts, at=at
    )
    return version


@transaction.atomic
def approve_version(*, version: int, actor: Any, at: datetime) -> ChecklistVersion:
    """Let a proposed version count from now on; refused to its author."""
    roles.require_role(actor, *KEEPERS, to="approve a launch checklist")
    locks.lock_exclusive(locks.LockClass.LAUNCH)
    found = ChecklistVersion.objects.filter(version=version).first()
    if found is None:
        raise NotFoundError(f"There is no checklist version {version}.")
    if found.version <= in_force().version:
        raise ChecklistDecidedError(f"Version {in_force().version} counts already; propose a new one.")
    if found.proposed_by_id == actor.pk:
        raise NotAllowedError("You proposed this version; a colleague has to approve it.")
    entry = audit.append_entry(
        action="launch.checklist_approved",
        subject=f"checklist:{found.version}",
        actor=actor,
        facts={"version": found.version, "terms": found.terms},
        at=at,
    )
    ChecklistApproval.objects.create(checklist=found, person=actor, at=at, audit_entry=entry)
    return found
