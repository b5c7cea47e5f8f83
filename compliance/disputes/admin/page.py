"""Everything that the page of one dispute shows."""

from datetime import datetime
from typing import Any

from django.urls import reverse

from compliance.disputes import fixing, queries
from compliance.disputes.admin.lists import due_text
from compliance.disputes.models import Dispute, DisputeEvidence
from compliance.disputes.rules import lifecycle
from compliance.evidence.story import amount
from invoicing.cycle import collection

REFRESH_SECONDS = 5
TONES = {"evidence": "info", "ops": "warning", "engineering": "danger", "correcting": "warning", "closed": "success"}


def page_context(dispute: Dispute, *, now: datetime) -> dict[str, Any]:
    """What the template prints; `now` says what is overdue."""
    given_up, mine = queries.given_up(dispute), queries.own_hold(dispute)
    is_rebuilding = dispute.status == lifecycle.EVIDENCE
    is_open = dispute.status != lifecycle.CLOSED
    return {
        "dispute": dispute,
        "title": f"Dispute {dispute.pk}: {dispute.customer.legal_name}, {dispute.subject}",
        "tone": TONES[dispute.status],
        "is_open": is_open,
        "contested": _contested(dispute),
        "due": due_text(dispute.due_at, now=now),
        "is_late": dispute.due_at is not None and dispute.due_at <= now,
        "update_due": due_text(dispute.update_due_at, now=now),
        "is_update_late": dispute.update_due_at is not None and dispute.update_due_at <= now,
        "hold": collection.open_hold(dispute.invoice),
        "own_hold": mine,
        "also_asking": [] if mine is None else queries.also_asking(mine),
        "given_up": given_up,
        "is_rebuilding": is_rebuilding,
        "refresh": REFRESH_SECONDS if is_rebuilding and not given_up else None,
        "evidence": [_evidence(one) for one in dispute.evidence.select_related("pack").order_by("-number")],
        "messages_said": dispute.messages.select_related("author"),
        "moves": dispute.transitions.select_related("actor", "audit_entry"),
        "fixes": dispute.fixes.select_related("document", "delta_report", "linked_by"),
        "corrections": fixing.corrections_of(dispute.invoice, line_id=dispute.line_id),
        "letter": queries.find_letter(dispute.pk),
    }


def _contested(dispute: Dispute) -> str:
    line, invoice = dispute.line, dispute.invoice
    if line is None:
        return f"the whole {invoice.get_document_type_display().lower()}, {amount(invoice.total, invoice.currency)}"
    return f"line {line.position}, {line.description}: {amount(line.amount, invoice.currency)}"


def _evidence(one: DisputeEvidence) -> dict[str, Any]:
    steps = [
        {**step, "is_equal": step["claimed"] == step["found"], "is_first": step == one.first_break}
        for step in one.steps
    ]
    return {
        "one": one,
        "steps": steps,
        "differing": sum(not step["is_equal"] for step in steps),
        "pack_url": reverse("admin:evidence_pack_file", args=[one.pack_id]) if one.pack_id else "",
    }
