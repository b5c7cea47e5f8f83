"""What became of the money of an invoice, as a file of a pack: what is to be paid, held, given back and contested."""

from collections.abc import Mapping
from typing import Any

from django.db.models import F, Q, QuerySet, Sum

from compliance.evidence.pack import decisions, payments, wording
from compliance.evidence.pack.told import Told
from core import canonical
from invoicing.cycle import book, content
from invoicing.cycle.models import CollectionHold, Invoice
from invoicing.ledger.models import JournalEntry, Posting
from invoicing.ledger.rules.chart import Account

NONE_ARE_KEPT: list[Any] = []  # no line is made from a payout but from its events


def money_of(invoice: Invoice, *, told: Mapping[str, Told]) -> dict[str, Any]:
    """A list for every kind of thing, empty where there is none."""
    return {
        "payable": {
            "total": wording.figure(invoice.total),
            "prepaid": wording.figure(invoice.prepaid),
            "rounding": wording.figure(invoice.payable_rounding),
            "payable": wording.figure(invoice.payable),
        },
        "balance": _balance(invoice),
        "collection_holds": [_collection_hold(each) for each in invoice.collection_holds.order_by("id")],
        "corrected_by": [_correction(each, invoice) for each in corrections_of(invoice)],
        **{kind: each.rows for kind, each in told.items()},
        "standing": payments.standing_of(invoice),
        "payments": payments.payments_of(invoice),
        "payouts": NONE_ARE_KEPT,
    }


def corrections_of(invoice: Invoice) -> list[Invoice]:
    """Documents that give back of its lines or correct them, whatever became of them."""
    which = Q(credit_lines__credits__invoice=invoice) | Q(lines__adjusts__invoice=invoice)
    return list(Invoice.objects.filter(which).distinct().order_by("pk"))


def _balance(invoice: Invoice) -> dict[str, dict[str, str]] | None:
    """What the customer owed and had in their favour, by the books: before this was booked, and before its set-off."""
    entry = JournalEntry.objects.filter(key=book.entry_key(invoice.pk)).first()
    if entry is None:
        return None
    own = Posting.objects.filter(entry__customer=invoice.customer_id, entry__currency=invoice.currency)
    return {
        "before": _sums(own.filter(entry__pk__lt=entry.pk)),
        "booked": _sums(own.filter(entry__pk__lte=entry.pk)),
    }


def _sums(postings: QuerySet[Posting]) -> dict[str, str]:
    owed, favour = F("debit") - F("credit"), F("credit") - F("debit")
    sums = postings.aggregate(
        receivable=Sum(owed, filter=Q(account=Account.ACCOUNTS_RECEIVABLE)),
        in_favour=Sum(favour, filter=Q(account=Account.CUSTOMER_BALANCE)),
    )
    return {name: wording.figure(value) or "0" for name, value in sums.items()}


def _collection_hold(hold: CollectionHold) -> dict[str, Any]:
    lifting = hold.lifting_entry
    return {
        **wording.said("reason", hold.reason),
        "placed_by": hold.placed_by_id,
        "placed_at": wording.instant(hold.placed_at),
        "audit_reference": hold.audit_entry.reference,
        "lifted_by": hold.lifted_by_id,
        "lifted_at": wording.instant(hold.lifted_at),
        **wording.said("lifting_reason", hold.lifting_reason),
        "lifting_reference": None if lifting is None else lifting.reference,
    }


def _correction(document: Invoice, invoice: Invoice) -> dict[str, Any]:
    return {
        "id": document.pk,
        "number": document.number,
        "document_type": document.document_type,
        "status": document.status,
        "content_hash": document.content_hash,
        "credits": [
            {"line": each.credits_id, "amount": wording.figure(each.amount)}
            for each in document.credit_lines.filter(credits__invoice=invoice).order_by("position")
        ],
        "adjusts": [
            {"line": each.adjusts_id, "amount": wording.figure(each.amount)}
            for each in document.lines.filter(adjusts__invoice=invoice).order_by("position")
        ],
        "transitions": decisions.moves_of(document),
        "hashed_text": canonical.canonical_bytes(content.document_of_rows(document)).decode(),
    }
