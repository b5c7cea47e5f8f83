"""What an open box stands in the way of: going live, issuing before a program is live, and major price changes."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from django.urls import reverse

from compliance.launch import go_live, majority, opened
from compliance.launch.boxes import policies
from compliance.launch.majority import Priced
from compliance.launch.models import GoLiveDecision
from core import activation
from core.activation import Refusal
from invoicing.cycle.models import DocumentType, Invoice
from invoicing.policy import queries
from invoicing.policy.rules import terms as policy_terms
from invoicing.policy.rules.launching import Launch
from invoicing.pricing.models import FeeProgramVersion, InvoiceTerm, PlanVersion, PriceVersion


def register() -> None:
    """Once, when the application starts."""
    activation.register_guard(of=GoLiveDecision, guard=refuse_open_boxes)
    activation.register_guard(of=Invoice, guard=refuse_before_live)
    activation.register_guard(of=PriceVersion, guard=refuse_major_change)
    activation.register_guard(of=PlanVersion, guard=refuse_major_change)
    activation.register_guard(of=FeeProgramVersion, guard=refuse_major_change)
    activation.register_guard(of=InvoiceTerm, guard=refuse_major_change)


def is_launch_asked(*, at: datetime) -> bool:
    """Whether the policy of any program asks for a launch."""
    return bool(_asked(policies.programs(), at=at))


def refuse_open_boxes(decision: GoLiveDecision, /, *, at: datetime) -> Sequence[Refusal]:
    """A program goes live with every box closed, or excepted."""
    judged = opened.judge(decision.program, at=at)
    if not any(one.stands_in_the_way for one in judged):
        return []
    return [opened.refusal_of(decision.program, judged, what="Going live")]


def refuse_before_live(invoice: Invoice, /, *, at: datetime) -> Sequence[Refusal]:
    """Where the policy in force asks for it; a credit note gives back, so nothing holds it up."""
    program = invoice.customer.program
    asked = _asked([program], at=at)
    if invoice.document_type == DocumentType.CREDIT_NOTE or program not in asked or go_live.is_live(program):
        return []
    return [
        Refusal(
            code="not_live",
            sentence=f"{program} is not live, and its policy issues nothing before that.",
            remedy="Close every box of the launch checklist and declare the program live.",
            link=reverse("admin:launch_golivedecision_changelist"),
        )
    ]


def refuse_major_change(version: Priced, /, *, at: datetime) -> Sequence[Refusal]:
    """For every program whose policy asks for it and whose customers the version reaches."""
    found = []
    for program, launch in _asked(majority.programs_of(version, at=at), at=at).items():
        if launch.major_change_percent is not None:
            found += _refusals(version, program, above=launch.major_change_percent, at=at)
    return found


def _refusals(version: Priced, program: str, *, above: Decimal, at: datetime) -> list[Refusal]:
    """Nothing is worked out while every box is closed: then the change may be as large as it likes."""
    judged = opened.judge(program, at=at)
    if not any(one.stands_in_the_way for one in judged):
        return []
    change = majority.judge(version, program=program, above=above)
    if change.is_unknown:
        return [
            Refusal(
                code="effect_unknown",
                sentence=f"{change.said} Until it is, the change counts as major, and the launch checklist is open.",
                remedy="Ask for its effect on its page, or close every box.",
                link=change.link,
            )
        ]
    if not change.is_major:
        return []
    return [opened.refusal_of(program, judged, what=f"{version} is a major change ({change.said}); it")]


def _asked(programs: Sequence[str] | set[str], *, at: datetime) -> dict[str, Launch]:
    """What policies in force ask of these programs; only those that ask for a launch."""
    in_force = queries.policies_in_force(programs, at=at) if programs else {}
    asked = {program: policy_terms.parse_terms(policy.terms).launch for program, policy in sorted(in_force.items())}
    return {program: launch for program, launch in asked.items() if launch.is_required}
