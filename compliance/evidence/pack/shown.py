"""Which entries of the audit chain a pack shows in words, and from which entry on it holds the chain."""

from collections.abc import Mapping
from dataclasses import dataclass

from compliance.evidence import known
from compliance.evidence.pack import money, payments, usage
from compliance.evidence.pack.reach import Reach
from compliance.evidence.pack.told import Told
from core.models import AuditEntry
from invoicing.cycle.models import Invoice, InvoiceLine, InvoiceTransition
from invoicing.rating.models import RatedLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Of entries about anything else a pack has the hashes alone."""

    subjects: frozenset[str]
    numbers: frozenset[int]
    since: int  # the number of the first entry

    def holds(self, entry: AuditEntry) -> bool:
        return entry.subject in self.subjects or entry.pk in self.numbers


def shown_of(invoice: Invoice, reach: Reach, *, told: Mapping[str, Told]) -> Shown:
    """What is said about the invoice, its subscriptions, what corrects it and what rooms above tell of it.

    From the first entry that any of its figures needs.
    """
    own = f"invoice:{invoice.pk}"
    first = AuditEntry.objects.filter(subject=own).order_by("pk").values_list("pk", flat=True)[0]
    about = {f"subscription:{each.subscription_id}" for each in reach.ratings.values()}
    corrected = InvoiceTransition.objects.filter(invoice__in=money.corrections_of(invoice))
    sealings = usage.sealing_entries(reach.snapshots.values())
    return Shown(
        subjects=frozenset({own, *about, *payments.subjects_of(invoice)}),
        numbers=frozenset(corrected.values_list("audit_entry", flat=True)).union(
            sealings, *(one.entries for one in told.values())
        ),
        since=min([first, *_agreed_later(reach), *sealings]),
    )


def _agreed_later(reach: Reach) -> list[int]:
    """What was agreed about a subscription after it was billed for a fee in advance, for corrections of that fee."""
    corrected = [(each, first) for each in reach.ratings.values() if (first := _fee_corrected_by(each)) is not None]
    agreed = known.entries_about({each.subscription_id for each, _ in corrected})
    drafts = known.drafts_of(first.invoice_line.invoice_id for _, first in corrected)
    return [
        entry.pk
        for each, first in corrected
        for entry in agreed[each.subscription_id]
        if entry.pk > drafts[first.invoice_line.invoice_id].pk
    ]


def _fee_corrected_by(rated: RatedLine) -> RatedLine | None:
    line: InvoiceLine | None = getattr(rated, "invoice_line", None)
    if rated.snapshot_id is not None or line is None or line.adjusts is None:
        return None
    return line.adjusts.rated_line
