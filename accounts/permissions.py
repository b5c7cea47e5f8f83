"""Who may call what: every API view names the roles per method, and nothing is allowed by default."""

from collections.abc import Sequence
from typing import Any, ClassVar

from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from accounts import roles
from accounts.models import ApiKey, Scope
from accounts.roles import Role

READERS = frozenset(Role)  # every staff role; an auditor reads everything


class DenyUnlessRuled(BasePermission):
    """The default: a view without a rule of its own is closed to everybody."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return False


class RoleRule(BasePermission):
    """Asks the view's `roles_by_method` (HTTP method → roles) and the key's scopes."""

    message = "Your role or the scopes of this API key do not allow this call."

    def has_permission(self, request: Request, view: Any) -> bool:
        held = roles.roles_of(request.user)
        allowed = view.roles_by_method.get("GET" if request.method == "HEAD" else request.method)
        if held and allowed is None:
            raise MethodNotAllowed(str(request.method))
        return bool(allowed) and not held.isdisjoint(allowed) and self._key_allows(request, view)

    def _key_allows(self, request: Request, view: Any) -> bool:
        if not isinstance(request.auth, ApiKey):
            return True
        wanted = Scope.READ if request.method in SAFE_METHODS else getattr(view, "write_scope", Scope.WRITE)
        return wanted in request.auth.scopes


class RuledView:
    """Mix into every API view; `roles_by_method` is mandatory and walked by a test."""

    permission_classes: Sequence[Any] = (RoleRule,)
    roles_by_method: ClassVar[dict[str, frozenset[Role]]]
