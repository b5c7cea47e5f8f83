"""When the newest of all agreements was made: whoever fixes an instant to read them as of takes none before it."""

from datetime import datetime

from django.db.models import Max

from invoicing.pricing.models import (
    FeeProgramVersion,
    InvoiceTerm,
    KeptPrices,
    PlanVersion,
    PriceVersion,
    ProposalStatus,
    SubscriptionQuantity,
    TaxRate,
)

DECIDED = (PlanVersion, PriceVersion, FeeProgramVersion, InvoiceTerm)
ENTERED = (TaxRate, SubscriptionQuantity, KeptPrices)


def newest_agreement() -> datetime | None:
    """The last decision or entry, by the clock of whoever made it."""
    decided = (
        model._default_manager.filter(status=ProposalStatus.APPROVED).aggregate(last=Max("decided_at"))["last"]  # noqa: SLF001  the public name is only on concrete models
        for model in DECIDED
    )
    entered = (model._default_manager.aggregate(last=Max("created_at"))["last"] for model in ENTERED)  # noqa: SLF001  as above
    return max((instant for instant in (*decided, *entered) if instant is not None), default=None)
