"""The invoice and everything decided about it, as files of a pack."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q

from compliance.evidence import known
from compliance.evidence.pack import payments, wording
from core import canonical
from invoicing.cycle import delta, pdf
from invoicing.cycle.models import Break, DeltaReport, Hold, Invoice
from invoicing.documents import store
from invoicing.documents.models import StoredDocument
from invoicing.ledger.models import JournalEntry

PEOPLE = ("actor", "approved_by", "closed_by", "created_by", "decided_by", "drafted_by", "lifted_by", "person")
NAMED = (*PEOPLE, "placed_by", "proposed_by", "released_by", "activated_by")


def invoice_of(invoice: Invoice) -> dict[str, Any]:
    """What stands in no other file: numbers, dates, who, and which rating each line is."""
    document = store.load(pdf.document_key(invoice.pk))
    key = invoice.personal_key
    erased = {} if key is None or key.destroyed_at is None else {"erased_at": wording.instant(key.destroyed_at)}
    return {
        **erased,
        "id": invoice.pk,
        "number": invoice.number,
        "status": invoice.status,
        "kind": invoice.kind,
        "period_begun": _period_begun(invoice),
        "document_type": invoice.document_type,
        "revision": invoice.revision,
        "issue_date": wording.day(invoice.issue_date),
        "due_date": wording.day(invoice.due_date),
        "finalized_at": wording.instant(invoice.finalized_at),
        "drafted_by": invoice.drafted_by_id,
        "drafted_at": wording.instant(invoice.drafted_at),
        "approved_by": invoice.approved_by_id,
        "approved_at": wording.instant(invoice.approved_at),
        "approved_hash": invoice.approved_hash,
        "content_hash": invoice.content_hash,
        "lines": [
            {"id": line.pk, "position": line.position, "rated": line.rated_line_id, "adjusts": line.adjusts_id}
            for line in invoice.lines.order_by("position")
        ],
        "document": _document(document),
    }


def _period_begun(invoice: Invoice) -> dict[str, str]:
    """The first draft that billed any of this period, this one or an earlier one: since then its end is fixed."""
    first = Invoice.objects.filter(cycle=invoice.cycle_id).order_by("pk").values_list("pk", flat=True)[0]
    return {"audit_reference": known.drafts_of([first])[first].reference}


def _document(document: StoredDocument | None) -> dict[str, Any] | None:
    """What the PDF is; where whom it names was erased, when that was."""
    if document is None:
        return None
    told = {"sha256": document.sha256, "stored_at": wording.instant(document.stored_at)}
    key = document.personal_key
    erased_at = None if key is None else key.destroyed_at
    return told if erased_at is None else {**told, "erased_at": wording.instant(erased_at)}


def decisions_of(invoice: Invoice) -> dict[str, Any]:
    """Moves and approvals with their place in the audit chain, holds, breaks and tie-outs."""
    return {
        "transitions": moves_of(invoice),
        "approvals": [
            {
                "revision": each.revision,
                "person": each.person_id,
                "content_hash": each.content_hash,
                "people_needed": each.people_needed,
                "given_at": wording.instant(each.given_at),
                "audit_reference": each.audit_entry.reference,
            }
            for each in invoice.approvals.select_related("audit_entry").order_by("id")
        ],
        "holds": [_hold(each) for each in invoice.holds.order_by("id")],
        "breaks": [_break(each) for each in invoice.breaks.order_by("id")],
        "delta_reports": [_delta(report) for report in invoice.delta_reports.order_by("id")],
        "tie_outs": [
            {
                "raw_events": each.raw_events,
                "aggregated_events": each.aggregated_events,
                "rated_lines": each.rated_lines,
                "is_tied": each.is_tied,
                "breaks": each.breaks.count(),
                "checked_at": wording.instant(each.checked_at),
            }
            for each in invoice.tie_outs.order_by("id")
        ],
    }


def moves_of(invoice: Invoice) -> list[dict[str, Any]]:
    """Every move from status to status, with its entry of the audit chain."""
    return [
        {
            "revision": move.revision,
            "from": move.from_status,
            "to": move.to_status,
            "actor": move.actor_id,
            **wording.said("reason", move.reason),
            "content_hash": move.content_hash,
            "at": wording.instant(move.moved_at),
            "audit_reference": move.audit_entry.reference,
        }
        for move in invoice.transitions.select_related("audit_entry").order_by("id")
    ]


def _hold(hold: Hold) -> dict[str, Any]:
    return {
        "cause": hold.cause,
        **wording.said("reason", hold.reason),
        "placed_by": hold.placed_by_id,
        "placed_at": wording.instant(hold.placed_at),
        "released_by": hold.released_by_id,
        "released_at": wording.instant(hold.released_at),
        **wording.said("release_reason", hold.release_reason),
    }


def _break(found: Break) -> dict[str, Any]:
    return {
        "name": found.name,
        "detail": found.detail,
        "facts": found.facts,
        "opened_at": wording.instant(found.opened_at),
        "closed_at": wording.instant(found.closed_at),
        "closed_by": found.closed_by_id,
        **wording.said("closing_reason", found.closing_reason),
    }


def _delta(report: DeltaReport) -> dict[str, Any]:
    """What was approved, in the very words that were hashed."""
    rows = list(report.rows.order_by("position"))
    return {
        "id": report.pk,
        "kind": report.kind,
        "status": report.status,
        "content_hash": report.content_hash,
        "proposed_at": wording.instant(report.proposed_at),
        "created_by": report.author_id,
        "decided_by": report.decided_by_id,
        "decided_at": wording.instant(report.decided_at),
        **wording.said("reason", report.decision_reason),
        **wording.said("asked_for", report.reason),
        "hashed_text": canonical.canonical_bytes(delta.document_of(report, rows)).decode(),
    }


def policy_of(invoice: Invoice) -> dict[str, Any] | None:
    """The policy that decided over it, the very words that were signed, and by whom."""
    policy = invoice.policy
    if policy is None:
        return None
    signed = {name: getattr(policy, name) for name in ("program", "version", "effective_at", "terms")}
    return {
        "policy": {
            "id": policy.pk,
            "program": policy.program,
            "version": policy.version,
            "effective_at": wording.instant(policy.effective_at),
            "terms": policy.terms,
            "content_hash": policy.content_hash,
            "reason": policy.reason,
            "status": policy.status,
            "proposed_by": policy.proposed_by_id,
            "proposed_at": wording.instant(policy.proposed_at),
            "decided_at": wording.instant(policy.decided_at),
        },
        "signed_text": canonical.canonical_bytes(signed).decode(),
        "sign_offs": [
            {
                "role": each.role,
                "person": each.person_id,
                "content_hash": each.content_hash,
                "signed_at": wording.instant(each.signed_at),
                "voided_at": wording.instant(each.voided_at),
                "audit_reference": each.audit_entry.reference,
            }
            for each in policy.sign_offs.select_related("audit_entry").order_by("id")
        ],
    }


def ledger_of(invoice: Invoice) -> list[dict[str, Any]]:
    """The journal entries of this invoice and of its payments, each with its postings."""
    mine = Q(key__startswith=f"invoice:{invoice.pk}:") | payments.entries_of(invoice)
    entries = JournalEntry.objects.filter(mine).order_by("pk")
    return [
        {
            "key": entry.key,
            "memo": entry.memo,
            "currency": entry.currency,
            "booked_on": wording.day(entry.booked_on),
            "posted_at": wording.instant(entry.posted_at),
            "postings": [
                {
                    "account": each.account,
                    "debit": wording.figure(each.debit),
                    "credit": wording.figure(each.credit),
                }
                for each in entry.postings.order_by("pk")
            ],
        }
        for entry in entries
    ]


def people_of(documents: Iterable[Any]) -> list[dict[str, Any]]:
    """The user names of everybody whom these files name by number."""
    ids = {number for document in documents for number in _numbers(document)}
    users = get_user_model().objects.filter(pk__in=ids).order_by("pk")
    return [{"id": user.pk, "user_name": user.get_username()} for user in users]


def _numbers(value: Any) -> Iterable[int]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in NAMED and isinstance(inner, int):
                yield inner
            yield from _numbers(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _numbers(inner)
