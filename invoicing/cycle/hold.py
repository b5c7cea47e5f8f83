"""Hold an invoice back with a reason, and let it go with another."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from accounts import roles
from accounts.roles import Role
from core import history, personal_keys
from core.errors import DomainError, InvalidInputError
from invoicing.cycle import move
from invoicing.cycle.models import Break, Hold, HoldReason, Invoice
from invoicing.cycle.rules import reasons

ACCEPTABLE = frozenset({Break.Name.UNPRICED})  # a person may decide that this usage is free; figures that differ, never


class IntegrityBreakError(DomainError):
    """A difference between stages that no reason can explain away."""

    code = "integrity_break"


class ReasonUnknownError(InvalidInputError):
    """No usual reason of this code is in use."""

    code = "reason_unknown"


@transaction.atomic
def hold_invoice(*, invoice_id: int, reason: str, actor: Any, at: datetime, reason_code: str = "") -> Hold:
    """Keep a draft or an approved invoice from being issued; every approval is withdrawn by it.

    `reason_code` names a usual reason, to which `reason` may add.
    """
    roles.require_role(actor, Role.FINANCE, to="hold invoices")
    listed = _find_reason(reason_code, use=HoldReason.Use.HOLD)
    reason = reasons.clean_reason(reason, label=listed.label if listed else "")
    invoice = move.lock_invoice(invoice_id=invoice_id)
    move.require_move(invoice, to_status=Invoice.Status.HELD)
    reason = personal_keys.tell_about(invoice.customer, reason)
    return place_hold(invoice, cause=Hold.Cause.PERSON, reason=reason, listed=listed, actor=actor, at=at)


def place_hold(
    invoice: Invoice,
    *,
    cause: Hold.Cause,
    reason: str,
    actor: AbstractBaseUser | None,
    at: datetime,
    listed: HoldReason | None = None,
) -> Hold:
    """Hold an invoice that is locked already."""
    withdrawn = {"approved_by": None, "approved_at": None, "approved_hash": ""}
    move.move_invoice(invoice, to_status=Invoice.Status.HELD, actor=actor, reason=reason, changes=withdrawn, at=at)
    hold = Hold(
        invoice=invoice,
        policy_id=invoice.policy_id,
        cause=cause,
        listed_reason=listed,
        reason=reason,
        placed_by_id=None if actor is None else actor.pk,
        placed_at=at,
    )
    hold.save()
    return hold


@transaction.atomic
def release_invoice(*, invoice_id: int, reason: str, actor: Any, at: datetime, reason_code: str = "") -> Invoice:
    """Let a held invoice go on as a draft; unpriced usage is thereby accepted, any other break stays in the way."""
    roles.require_role(actor, Role.FINANCE, to="release invoices")
    listed = _find_reason(reason_code, use=HoldReason.Use.RELEASE)
    reason = reasons.clean_reason(reason, label=listed.label if listed else "")
    invoice = move.lock_invoice(invoice_id=invoice_id)
    if invoice.status != Invoice.Status.HELD:
        raise move.WrongStateError(f"The invoice is {invoice.status}, not held; there is nothing to release.")
    hold = Hold.objects.select_for_update().get(invoice=invoice, released_at=None)
    if hold.placed_by_id == actor.pk:
        raise move.SamePersonError("You placed this hold; a colleague in finance has to release it.")
    reason = personal_keys.tell_about(invoice.customer, reason)
    _accept_breaks(invoice, reason=reason, actor=actor, at=at)
    hold.released_by_id, hold.released_at, hold.release_reason = actor.pk, at, reason
    hold.listed_release = listed
    fields = ["released_by", "released_at", "release_reason", "listed_release"]
    history.save_change(hold, fields=fields, actor=actor, reason=reason)
    move.move_invoice(invoice, to_status=Invoice.Status.DRAFT, actor=actor, reason=reason, at=at)
    return invoice


def label_of(code: str, *, use: HoldReason.Use) -> str:
    """How a usual reason in use reads; "" for none, and for one that no invoice could be held or released for."""
    return str(
        HoldReason.objects.filter(code=code, use=use, is_in_use=True).values_list("label", flat=True).first() or ""
    )


def _find_reason(code: str, *, use: HoldReason.Use) -> HoldReason | None:
    if not code:
        return None
    found = HoldReason.objects.filter(code=code, use=use, is_in_use=True).first()
    if found is None:
        raise ReasonUnknownError(
            f"{code[:60]!r} is no reason {use.label.lower()} in use; finance keeps the list under Hold reasons.",
            pointer="/reason_code",
        )
    return found


def _accept_breaks(invoice: Invoice, *, reason: str, actor: AbstractBaseUser, at: datetime) -> None:
    open_breaks = list(invoice.breaks.select_for_update().filter(closed_at=None))
    refused = [found for found in open_breaks if found.name not in ACCEPTABLE]
    if refused:
        raise IntegrityBreakError(
            f"{refused[0].detail} No reason can accept a difference between stages: repair it at its"
            " events, then repair and draft again, which counts and rates the period afresh."
        )
    for found in open_breaks:
        close_break(found, reason=reason, actor=actor, at=at)


def close_break(found: Break, *, reason: str, actor: AbstractBaseUser, at: datetime) -> None:
    """Close one open break, with who and why in its history."""
    found.closed_at, found.closed_by_id, found.closing_reason = at, actor.pk, reason
    history.save_change(found, fields=["closed_at", "closed_by", "closing_reason"], actor=actor, reason=reason)
