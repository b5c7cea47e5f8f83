"""What other systems call a customer: named by a person, taken back by a person, each time on record."""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import customers
from accounts.models import ExternalId
from core import audit, history
from core.errors import DomainError, NotFoundError


class ExternalIdTakenError(DomainError):
    """Another customer has this id in that system."""

    code = "external_id_taken"


def add_external_id(*, customer_code: str, system: str, external_id: str, actor: Any, at: datetime) -> ExternalId:
    """Let events of that system name the customer by this id from now on; naming it again changes nothing."""
    with transaction.atomic():
        customer = customers.get_customer(code=customer_code)
        made = ExternalId(customer=customer, system=system, external_id=external_id)
        made.clean_fields()
        found = ExternalId.objects.select_related("customer").filter(system=system, external_id=external_id).first()
        if found is not None and found.customer_id != customer.pk:
            raise ExternalIdTakenError(
                f"{external_id} in {system} is {found.customer.code}; move it, or take it back there first.",
                pointer="/external_id",
            )
        if found is not None:
            return found
        history.save_new(made, actor=actor)
        _record("external_id.added", made, actor=actor, at=at)
    return made


def remove_external_id(*, customer_code: str, system: str, external_id: str, actor: Any, at: datetime) -> None:
    """Let that id name nobody; what was captured under it stays with the customer."""
    with transaction.atomic():
        found = _lock_external_id(customer_code=customer_code, system=system, external_id=external_id)
        _record("external_id.removed", found, actor=actor, at=at)
        history.delete_row(found, actor=actor)


def move_external_id(
    *, customer_code: str, system: str, external_id: str, to_customer: str, actor: Any, at: datetime
) -> ExternalId:
    """Let that id name another customer from now on, with no moment in which it names nobody.

    What was captured under it stays with the customer it named then, and a retry of that is still the same event.
    """
    with transaction.atomic():
        target = customers.get_customer(code=to_customer)
        found = _lock_external_id(customer_code=customer_code, system=system, external_id=external_id)
        if target.pk == found.customer_id:
            return found
        _record("external_id.moved_away", found, actor=actor, at=at, to=target.code)
        history.delete_row(found, actor=actor, reason=f"Moved to {target.code}")
        moved = ExternalId(customer=target, system=system, external_id=external_id)
        history.save_new(moved, actor=actor)
        _record("external_id.moved_here", moved, actor=actor, at=at, came_from=customer_code)
    return moved


def _lock_external_id(*, customer_code: str, system: str, external_id: str) -> ExternalId:
    wanted = ExternalId.objects.select_for_update(of=("self",)).filter(
        customer__code=customer_code, system=system, external_id=external_id
    )
    found = wanted.select_related("customer").first()
    if found is None:
        raise NotFoundError("The customer has no such id in that system.")
    return found


def _record(action: str, named: ExternalId, *, actor: Any, at: datetime, **more: str) -> None:
    facts = {"system": named.system, "external_id": named.external_id, **more}
    audit.append_entry(action=action, subject=f"customer:{named.customer.code}", actor=actor, facts=facts, at=at)
