"""How the policy of an invoice wants late usage to be billed."""

from collections.abc import Sequence

from invoicing.cycle.bills import Bill
from invoicing.policy.models import TriggerPolicy
from invoicing.policy.rules import terms as policy_terms

AT_ONCE = "at_once"


def corrects_at_once(policy: TriggerPolicy | None) -> bool:
    """Whether late usage is billed by documents of its own; a silent policy leaves it to the next invoice."""
    return policy is not None and policy_terms.parse_terms(policy.terms).late_usage.correction == AT_ONCE


def carrying(bills: Sequence[Bill]) -> list[Bill]:
    """The bills that carry late usage of earlier periods; each policy is read once, however many bills it decides."""
    policies = {bill.policy.pk: bill.policy for bill in bills if bill.policy is not None}
    at_once = {pk for pk, policy in policies.items() if corrects_at_once(policy)}
    return [bill for bill in bills if bill.policy is None or bill.policy.pk not in at_once]
