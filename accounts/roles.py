"""Staff roles, kept as Django groups, and the one way to ask for them."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from core.errors import NotAllowedError


class Role(StrEnum):
    PRODUCT = "product"
    FINANCE = "finance"
    OPS = "ops"
    ENGINEERING = "engineering"
    AUDITOR = "auditor"  # reads everything, decides nothing


STAFF = frozenset(Role)
_NAMES = frozenset(str(role) for role in Role)
_GROUPS_FOUND = "_groups_found"


def roles_of(user: Any) -> frozenset[str]:
    """The roles a signed-in person holds now; a superuser holds none by being one."""
    if user is None or not user.is_authenticated or not user.is_active:
        return frozenset()
    groups = getattr(user, _GROUPS_FOUND, None)
    names = user.groups.values_list("name", flat=True) if groups is None else groups
    return frozenset(names) & _NAMES


def remember_groups(user: Any, groups: Iterable[str]) -> None:
    """Let `roles_of` use what was read together with the person: for people who are read anew for every request."""
    setattr(user, _GROUPS_FOUND, frozenset(groups))


def has_role(user: Any, roles: Iterable[str]) -> bool:
    return not roles_of(user).isdisjoint({str(role) for role in roles})


def require_role(user: Any, *roles: Role, to: str) -> None:
    """NotAllowedError unless the person holds one of the roles now; being a superuser does not help."""
    if not has_role(user, roles):
        names = " or ".join(roles)
        raise NotAllowedError(f"Only {names} may {to}. Ask an administrator for the role, or a colleague who has it.")
