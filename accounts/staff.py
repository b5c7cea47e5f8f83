"""People who work here: which roles they gained or lost goes into the audit chain."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from accounts.rules import mailboxes
from core import audit


def record_roles(*, user: Any, before: Collection[str], after: Collection[str], actor: Any, at: datetime) -> None:
    """Append what changed in who may decide what; nothing where nothing changed."""
    gained, lost = sorted(set(after) - set(before)), sorted(set(before) - set(after))
    if gained or lost:
        facts = {"username": user.username, "gained": gained, "lost": lost}
        audit.append_entry(action="staff.roles_changed", subject=f"user:{user.pk}", actor=actor, facts=facts, at=at)


def standing(user: Any) -> list[str]:
    """What decides what a person may do: roles, and whether they are active, staff or superuser."""
    flags = {"active": user.is_active, "staff": user.is_staff, "superuser": user.is_superuser}
    roles = user.groups.values_list("name", flat=True) if user.pk else []
    return [*roles, *(name for name, is_set in flags.items() if is_set)]


def owner_of_mailbox(address: str, *, besides: int | None) -> User | None:
    """The staff account that uses this mailbox already; two accounts of one person would pass for two people."""
    others = User.objects.filter(is_staff=True).exclude(pk=besides or 0).exclude(email="")
    wanted = mailboxes.same_mailbox(address)
    return next((user for user in others if mailboxes.same_mailbox(user.email) == wanted), None)
