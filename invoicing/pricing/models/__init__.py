"""Plans and prices with their versions, tax rates, subscriptions and what is agreed for one of them."""

from invoicing.pricing.models.agreements import Charge, Plan, PriceVersion, Subscription, SubscriptionPhase, TaxRate
from invoicing.pricing.models.arrangements import KeptPrices, SubscriptionQuantity
from invoicing.pricing.models.fees import FeeProgram, FeeProgramVersion
from invoicing.pricing.models.invoice_terms import InvoiceTerm
from invoicing.pricing.models.plan_versions import PlanVersion
from invoicing.pricing.models.proposals import Proposal, ProposalStatus

__all__ = [
    "Charge",
    "FeeProgram",
    "FeeProgramVersion",
    "InvoiceTerm",
    "KeptPrices",
    "Plan",
    "PlanVersion",
    "PriceVersion",
    "Proposal",
    "ProposalStatus",
    "Subscription",
    "SubscriptionPhase",
    "SubscriptionQuantity",
    "TaxRate",
]
