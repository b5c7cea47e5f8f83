"""How long invoices are kept: versions, entered by finance, the next one following the last."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from accounts import roles
from accounts.roles import Role
from compliance.erasure.models import RetentionRule
from core import audit
from core.errors import DomainError


class RuleExistsError(DomainError):
    """There is a version from that instant on."""

    code = "retention_exists"


@transaction.atomic
def set_retention(
    *, country: str, years: int, basis: str, effective_at: datetime, actor: Any, at: datetime
) -> RetentionRule:
    """Add a version; it counts from its instant on, for documents of any age."""
    roles.require_role(actor, Role.FINANCE, to="say how long invoices are kept")
    rule = RetentionRule(
        country=country, years=years, basis=basis, effective_at=effective_at, created_by=actor, created_at=at
    )
    try:
        with transaction.atomic():
            rule.save(force_insert=True)
    except IntegrityError as error:
        raise RuleExistsError("There is a version from that instant on already.", pointer="/effective_at") from error
    facts = {"country": country, "years": years, "basis": basis, "effective_at": effective_at.isoformat()}
    audit.append_entry(action="retention.set", subject=f"retention:{rule.pk}", actor=actor, facts=facts, at=at)
    return rule
