"""Which policy decides over a customer, for pages of rooms that cannot ask for it themselves."""

from django import template
from django.utils import timezone

from accounts.models import Customer
from invoicing.policy import queries
from invoicing.policy.models import TriggerPolicy

register = template.Library()


@register.simple_tag
def policy_in_force(customer: Customer) -> TriggerPolicy | None:
    """The signed version that decides over the customer's invoices now; None where nothing is invoiced."""
    return queries.policy_of(customer, at=timezone.now())
