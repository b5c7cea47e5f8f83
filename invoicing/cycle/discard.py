"""Give a draft up, with a reason, so that its period is counted and rated afresh."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from accounts import roles
from accounts.roles import Role
from core import history, personal_keys
from invoicing.cycle import hold, move
from invoicing.cycle.models import DeltaReport, Invoice
from invoicing.cycle.rules import reasons
from metering import aggregate


@transaction.atomic
def discard_invoice(*, invoice_id: int, reason: str, actor: Any, at: datetime) -> Invoice:
    """Discard a draft or held invoice; it stays readable, and the next close drafts its period anew."""
    roles.require_role(actor, Role.FINANCE, to="discard drafts")
    reason = reasons.clean_reason(reason)
    invoice = move.lock_invoice(invoice_id=invoice_id)
    move.require_move(invoice, to_status=Invoice.Status.DISCARDED)
    ended = personal_keys.tell_about(invoice.customer, f"Discarded: {reason}")
    _end_holds_and_breaks(invoice, reason=ended, actor=actor, at=at)
    # What was rejected was looked at: its window is late again only when more comes.
    snapshots = invoice.lines.filter(rated_line__snapshot__isnull=False).exclude(
        delta_rows__report__status=DeltaReport.Status.REJECTED
    )
    aggregate.retire_snapshots(list(snapshots.values_list("rated_line__snapshot_id", flat=True)), at=at)
    kept = personal_keys.tell_about(invoice.customer, reason)
    move.move_invoice(invoice, to_status=Invoice.Status.DISCARDED, actor=actor, reason=kept, at=at)
    return invoice


def _end_holds_and_breaks(invoice: Invoice, *, reason: str, actor: AbstractBaseUser, at: datetime) -> None:
    """A discarded draft waits for nobody; its holds end without having been released by anyone."""
    for placed in invoice.holds.select_for_update().filter(released_at=None):
        placed.released_at, placed.release_reason = at, reason
        history.save_change(placed, fields=["released_at", "release_reason"], actor=actor, reason=reason)
    for found in invoice.breaks.select_for_update().filter(closed_at=None):
        hold.close_break(found, reason=reason, actor=actor, at=at)
