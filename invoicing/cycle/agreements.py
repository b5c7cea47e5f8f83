"""What finance agreed for the documents of these periods."""

from collections.abc import Sequence
from decimal import Decimal

from invoicing.cycle.rules.agreed import Agreed, DocumentTerms
from invoicing.pricing import invoice_terms
from invoicing.pricing.models import InvoiceTerm
from invoicing.pricing.queries import DuePeriod

Kind = InvoiceTerm.Kind
NOTHING = Decimal(0)


def document_terms(due: Sequence[DuePeriod]) -> dict[DuePeriod, DocumentTerms]:
    """The terms of each period for which anything is agreed, as at its last moment."""
    found = invoice_terms.terms_in_force(due)
    return {
        period: DocumentTerms(
            agreed=tuple(_agreed(term) for term in terms if term.kind in (Kind.ALLOWANCE, Kind.CHARGE)),
            rounds_to=next((term.amount for term in terms if term.kind == Kind.ROUNDING and term.amount), None),
            prepaid=sum((term.amount or NOTHING for term in terms if term.kind == Kind.PREPAID), NOTHING),
        )
        for period, terms in found.items()
    }


def _agreed(term: InvoiceTerm) -> Agreed:
    return Agreed(
        term_id=term.pk,
        kind="charge" if term.kind == Kind.CHARGE else "allowance",
        reason=term.reason,
        percent=term.percent,
        amount=term.amount,
    )
