"""What a pack says about the disputes of its invoice: where each stands and how it came there, in no person's words."""

from typing import Any

from compliance.disputes.models import Dispute, DisputeTransition
from compliance.disputes.rules import lifecycle
from compliance.evidence.pack import told, wording
from compliance.evidence.pack.told import Told
from invoicing.cycle.models import Invoice


def register() -> None:
    """Once, when the application starts."""
    told.register_teller(kind="disputes", teller=tell_disputes)


def tell_disputes(invoice: Invoice) -> Told:
    """All about the invoice or a line of it. Customers get packs, so what stays among colleagues is in none."""
    disputes = list(
        Dispute.objects.filter(invoice=invoice)
        .select_related("line")
        .prefetch_related("transitions__audit_entry")
        .order_by("pk")
    )
    shown = {
        move.audit_entry_id for each in disputes for move in each.transitions.all() if not _is_among_colleagues(move)
    }
    return Told([_dispute(each) for each in disputes], frozenset(shown))


def _dispute(dispute: Dispute) -> dict[str, Any]:
    return {
        "id": dispute.pk,
        "line": None if dispute.line is None else dispute.line.position,
        "claim": dispute.reason,
        "invoice_hash": dispute.invoice_hash,
        "opened_at": wording.instant(dispute.opened_at),
        "status": dispute.status,
        "outcome": dispute.outcome,
        "transitions": [_move(each) for each in dispute.transitions.all()],
    }


def _move(move: DisputeTransition) -> dict[str, Any]:
    """By the number of who moved it, whose name is in no file: that may be a person of the customer."""
    reason = {} if _is_among_colleagues(move) else wording.said("reason", move.reason)
    return reason | {
        "revision": move.revision,
        "from": move.from_status,
        "to": move.to_status,
        "outcome": move.outcome,
        "by": move.actor_id,
        "at": wording.instant(move.moved_at),
        "audit_reference": move.audit_entry.reference,
    }


def _is_among_colleagues(move: DisputeTransition) -> bool:
    """Why evidence was asked for again, or what somebody here noted who took it back, no customer is told."""
    is_again = move.to_status == lifecycle.EVIDENCE and bool(move.from_status)
    return is_again or move.outcome == lifecycle.WITHDRAWN
