"""An offence that is none: finance says why, somebody else in ops agrees once everything was counted again."""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import roles
from accounts.roles import Role
from core import audit, personal_keys
from core.errors import DomainError, NotFoundError
from invoicing.cycle import hold, move, reconcile
from invoicing.cycle.models import Break, FalseAlarm, Invoice, Offence
from invoicing.cycle.rules import false_alarms, reasons

STATERS, DECIDERS = (Role.FINANCE,), (Role.OPS,)
Decision = FalseAlarm.Decision


class NoFalseAlarmError(DomainError):
    """The offence cannot be called a false alarm."""

    code = "no_false_alarm"


class AlarmDecidedError(DomainError):
    """The statement was decided before."""

    code = "false_alarm_decided"


class RecountDiffersError(DomainError):
    """What was counted, rated and billed is not equal now, whatever the alarm was about."""

    code = "recount_differs"


@transaction.atomic
def state(*, offence_id: int, reason: str, actor: Any, at: datetime) -> FalseAlarm:
    """Say that an offence is none, and why; nothing follows until somebody in ops agrees."""
    roles.require_role(actor, *STATERS, to="call an offence a false alarm")
    reason = reasons.clean_reason(reason)
    offence = Offence.objects.select_for_update().filter(pk=offence_id).first()
    if offence is None:
        raise NotFoundError(f"There is no offence {offence_id}.")
    _require_it_stops(offence)
    if offence.false_alarms.exclude(decision=Decision.REFUSED).exists():
        raise NoFalseAlarmError("It was called a false alarm before; that statement waits for ops, or counts already.")
    alarm = FalseAlarm.objects.create(
        offence=offence, reason=personal_keys.tell_about(offence.customer, reason), stated_by=actor, stated_at=at
    )
    _note(alarm, action="offence.called_false", reason=alarm.reason, actor=actor, at=at)
    return alarm


def _require_it_stops(offence: Offence) -> None:
    if offence.cleared_at is not None or offence.customer_id is None:
        raise NoFalseAlarmError("This offence stops nobody; there is nothing to let through.")
    if not false_alarms.can_be_false(offence.number):
        raise NoFalseAlarmError(
            "This is a difference between figures, events, books or the audit chain. Nobody can call that false: repair"
            " it at its source, and a check that no longer finds it lets the customer go."
        )


@transaction.atomic
def agree(*, alarm_id: int, reason: str, actor: Any, at: datetime) -> FalseAlarm:
    """Let the customer go on, as another person of another role, if all that is counted again is equal now."""
    roles.require_role(actor, *DECIDERS, to="agree that an offence is a false alarm")
    alarm = _lock(alarm_id, actor=actor)
    _require_it_stops(alarm.offence)
    alarm.recounted = recount(alarm.offence)
    return _decide(alarm, decision=Decision.AGREED, reason=reason, actor=actor, at=at)


@transaction.atomic
def refuse(*, alarm_id: int, reason: str, actor: Any, at: datetime) -> FalseAlarm:
    """Say that it is no false alarm; the customer stays stopped, and another statement may be made."""
    roles.require_role(actor, *DECIDERS, to="refuse a statement about a false alarm")
    return _decide(_lock(alarm_id, actor=actor), decision=Decision.REFUSED, reason=reason, actor=actor, at=at)


def undecided_of(offence_id: int) -> FalseAlarm:
    """The statement about this offence that waits for ops; NotFoundError if none does."""
    found = FalseAlarm.objects.filter(offence=offence_id, decision="").first()
    if found is None:
        raise NotFoundError(f"No statement about offence {offence_id} waits for ops.")
    return found


def _lock(alarm_id: int, *, actor: Any) -> FalseAlarm:
    alarm = FalseAlarm.objects.select_for_update(of=("self",)).select_related("offence__customer").filter(pk=alarm_id)
    found = alarm.first()
    if found is None:
        raise NotFoundError(f"There is no statement {alarm_id} about a false alarm.")
    if found.decision:
        raise AlarmDecidedError(f"This statement is {found.decision} already; what was decided stays.")
    if found.stated_by_id == actor.pk:
        raise move.SamePersonError("You called it a false alarm; a colleague in ops has to decide.")
    return found


def _decide(alarm: FalseAlarm, *, decision: Decision, reason: str, actor: Any, at: datetime) -> FalseAlarm:
    alarm.decision, alarm.decided_by, alarm.decided_at = decision, actor, at
    alarm.decision_reason = personal_keys.tell_about(alarm.offence.customer, reasons.clean_reason(reason))
    alarm.save(update_fields=["decision", "decided_by", "decided_at", "decision_reason", "recounted"])
    action = "offence.false_alarm_agreed" if decision == Decision.AGREED else "offence.false_alarm_refused"
    _note(alarm, action=action, reason=alarm.decision_reason, actor=actor, at=at)
    return alarm


def _note(alarm: FalseAlarm, *, action: str, reason: str, actor: Any, at: datetime) -> None:
    facts = {
        "false_alarm": alarm.pk,
        "number": alarm.offence.number,
        "offender": alarm.offence.offender,
        "reason": reason,
        "recounted": alarm.recounted,
    }
    audit.append_entry(action=action, subject=f"offence:{alarm.offence_id}", actor=actor, facts=facts, at=at)


def recount(offence: Offence) -> list[dict[str, Any]]:
    """Count and rate again what the customer has undecided, and the invoice that is named, or else the last final one.

    RecountDiffersError where raw, aggregated and rated are not equal, or an open break says so.
    """
    broken = Break.objects.filter(invoice__customer=offence.customer, closed_at=None).exclude(name__in=hold.ACCEPTABLE)
    if (found := broken.first()) is not None:
        raise RecountDiffersError(f"{found.invoice} has an open break: {found.detail} Repair that first.")
    return [_recount(invoice) for invoice in _invoices_of(offence)]


def _invoices_of(offence: Offence) -> list[Invoice]:
    own = Invoice.objects.filter(customer=offence.customer).select_related("cycle", "customer", "watermark")
    found = list(own.filter(status__in=reconcile.RECHECKED).order_by("pk"))
    if offence.invoice_id is not None:
        named = own.filter(pk=offence.invoice_id, status=Invoice.Status.FINAL)
    else:
        named = own.filter(status=Invoice.Status.FINAL).order_by("-finalized_at", "-pk")[: 0 if found else 1]
    return [*found, *named]


def _recount(invoice: Invoice) -> dict[str, Any]:
    bill = reconcile.bill_of(invoice)
    reconcile.tie_out_bills([bill], watermark=invoice.watermark)
    assert bill.result is not None  # noqa: S101  it was given one in the line above
    differing = [found for found in bill.result.findings if found.name not in hold.ACCEPTABLE]
    if differing:
        raise RecountDiffersError(f"{invoice} counted again: {differing[0].detail} That is no false alarm.")
    return {
        "invoice": invoice.pk,
        "content_hash": invoice.content_hash,
        "raw_events": bill.result.raw_events,
        "aggregated_events": bill.result.aggregated_events,
        "rated_lines": bill.result.rated_lines,
    }


def require_equal(invoice: Invoice) -> None:
    """RecountDiffersError if an invoice of somebody who was let go does not come out equal when counted once more."""
    _recount(invoice)
