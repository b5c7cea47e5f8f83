"""What finance agrees to take off or add on whole invoices, and what was paid before them."""

from django.db import models
from django.db.models import Q

from accounts import validators
from core.sealed_fields import OpenedCharField
from invoicing.pricing.models.agreements import Plan, Subscription
from invoicing.pricing.models.proposals import Proposal, proposal_checks, proposal_triggers


class InvoiceTerm(Proposal):
    """A discount, charge or rounding on the documents of a plan or a subscription, from an instant on.

    What was paid in advance belongs to one subscription: an amount that its invoices use up.

    Versions of one code follow each other; one of nothing ends it. The subscription's own supersedes the plan's. Of
    approved versions with one effective instant the highest counts.
    """

    class Kind(models.TextChoices):
        ALLOWANCE = "allowance", "Discount"
        CHARGE = "charge", "Charge"
        ROUNDING = "rounding", "Rounding of what is to be paid"
        PREPAID = "prepaid", "Paid in advance"

    plan = models.ForeignKey(Plan, null=True, blank=True, on_delete=models.PROTECT, related_name="invoice_terms")
    subscription = models.ForeignKey(
        Subscription, null=True, blank=True, on_delete=models.PROTECT, related_name="invoice_terms"
    )
    code = models.CharField(max_length=60, validators=[validators.CODE])
    kind = models.CharField(max_length=10, choices=Kind.choices)
    reason = OpenedCharField(
        max_length=120,
        help_text="Printed on the invoice; under the key of the customer whose subscription it is of.",
    )
    percent = models.DecimalField(
        max_digits=7, decimal_places=4, null=True, blank=True, help_text="Of the sum of the lines."
    )
    amount = models.DecimalField(
        max_digits=20,
        decimal_places=4,
        null=True,
        blank=True,
        help_text="On each invoice; for a rounding the multiple that is rounded to, such as 1 or 0.05; of what was paid"
        " in advance all that was paid so far.",
    )

    class Meta:
        ordering = ["code", "effective_at", "version"]
        constraints = [
            models.UniqueConstraint(
                fields=["plan", "code", "version"], condition=Q(plan__isnull=False), name="pricing_invoiceterm_of_plan"
            ),
            models.UniqueConstraint(
                fields=["subscription", "code", "version"],
                condition=Q(subscription__isnull=False),
                name="pricing_invoiceterm_of_subscription",
            ),
            models.CheckConstraint(
                condition=Q(plan__isnull=False, subscription=None) | Q(plan=None, subscription__isnull=False),
                name="pricing_invoiceterm_subject",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["allowance", "charge"], percent__range=("0", "100"), amount=None)
                | Q(kind__in=["allowance", "charge", "rounding", "prepaid"], amount__range=("0", "1e12"), percent=None),
                name="pricing_invoiceterm_figure",
            ),
            models.CheckConstraint(
                condition=~Q(kind="prepaid") | Q(subscription__isnull=False), name="pricing_invoiceterm_prepaid"
            ),
            *proposal_checks("pricing_invoiceterm"),
        ]
        triggers = proposal_triggers(["plan", "subscription", "code", "kind", "reason", "percent", "amount"])

    def __str__(self) -> str:
        return f"{self.reason} v{self.version}"
