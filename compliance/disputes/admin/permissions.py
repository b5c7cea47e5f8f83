"""Who may do what about a dispute at which step; the stages ask again."""

from typing import Any

from django.http import HttpRequest

from accounts import roles
from compliance.disputes import decide, fixing, keeping, opening, queries, rebuild, talk
from compliance.disputes.models import Dispute
from compliance.disputes.rules import lifecycle
from invoicing.cycle import collection


class DisputePermissions:
    """Mix in before the base: each action of the desk asks one of these before it is offered."""

    def has_open_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return _has(request, opening.OPENERS)

    def has_uphold_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return _may_move(object_id, lifecycle.CORRECTING, lifecycle.UPHELD) and _has(request, decide.DECIDERS)

    def has_reject_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return _may_move(object_id, lifecycle.CLOSED, lifecycle.REJECTED) and _has(request, decide.DECIDERS)

    def has_withdraw_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return _may_move(object_id, lifecycle.CLOSED, lifecycle.WITHDRAWN) and _has(request, decide.DECIDERS)

    def has_rebuild_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return _may_move(object_id, lifecycle.EVIDENCE, "") and _has(request, rebuild.ASKERS)

    def has_update_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return _find_open(object_id) is not None and _has(request, talk.UPDATERS)

    def has_remark_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return _has(request, talk.WRITERS)

    def has_assign_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return _find_open(object_id) is not None and _has(request, keeping.ASSIGNERS)

    def has_fix_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        found = _find(object_id)
        return found is not None and found.status == lifecycle.CORRECTING and _has(request, fixing.LINKERS)

    def has_hold_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        found = _find_open(object_id)
        may_ask = found is not None and queries.own_hold(found) is None
        return may_ask and _has(request, keeping.COLLECTORS)

    def has_lift_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        found = _find(object_id)
        is_held = found is not None and collection.open_hold(found.invoice) is not None
        return is_held and _has(request, keeping.COLLECTORS)


def _has(request: HttpRequest, held: Any) -> bool:
    return roles.has_role(request.user, held)


def _find(object_id: str | None) -> Dispute | None:
    text = str(object_id)
    return Dispute.objects.select_related("invoice").filter(pk=int(text)).first() if text.isdecimal() else None


def _find_open(object_id: str | None) -> Dispute | None:
    found = _find(object_id)
    return found if found is not None and found.status != lifecycle.CLOSED else None


def _may_move(object_id: str | None, to_status: str, outcome: str) -> bool:
    found = _find(object_id)
    return found is not None and lifecycle.is_allowed(found.status, to_status, outcome=outcome)
