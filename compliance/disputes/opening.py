"""Open a dispute about a final invoice or a line of it; its evidence is asked for at once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from accounts import roles
from accounts.models import Customer
from accounts.roles import Role
from compliance.disputes import move, policies, rebuild, talk
from compliance.disputes.models import Dispute
from compliance.disputes.rules import due, lifecycle
from core import personal_keys
from core.errors import DomainError, InvalidInputError, NotFoundError
from invoicing.cycle.models import Invoice, InvoiceLine

OPENERS = (Role.FINANCE, Role.OPS)


class NotFinalError(DomainError):
    """Drafts are nobody's bill yet."""

    code = "invoice_not_final"


class OpenAlreadyError(DomainError):
    """The same thing is contested already."""

    code = "dispute_open_already"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What is contested and why; `position` names a line, None the whole invoice."""

    invoice_id: int
    position: int | None
    reason: str
    text: str


def open_for_staff(*, claim: Claim, origin: str, actor: Any, at: datetime) -> Dispute:
    """A person of finance or ops opens it for the customer, in the back office or over the API."""
    roles.require_role(actor, *OPENERS, to="open a dispute")
    invoice = Invoice.objects.select_related("customer").filter(pk=claim.invoice_id).first()
    if invoice is None:
        raise NotFoundError(f"There is no invoice {claim.invoice_id}.")
    if invoice.status != Invoice.Status.FINAL:
        raise NotFinalError(f"{invoice} is {invoice.status}. Only a final invoice is contested; a draft is held.")
    return _open(invoice, claim, origin=origin, actor=actor, at=at)


def open_for_customer(*, customer: Customer, claim: Claim, actor: Any, at: datetime) -> Dispute:
    """A person of the customer opens it in the portal; an invoice of anybody else, or a draft, is not found."""
    own = Invoice.objects.filter(customer=customer, status=Invoice.Status.FINAL).select_related("customer")
    invoice = own.filter(pk=claim.invoice_id).first()
    if invoice is None:
        raise NotFoundError("There is no such invoice.")
    return _open(invoice, claim, origin=Dispute.Origin.PORTAL, actor=actor, at=at)


def _open(invoice: Invoice, claim: Claim, *, origin: str, actor: Any, at: datetime) -> Dispute:
    if claim.reason not in Dispute.Reason.values:
        raise InvalidInputError(f"A reason is one of {', '.join(Dispute.Reason.values)}.", pointer="/reason")
    text, line = talk.clean(claim.text), _line(invoice, position=claim.position)
    refusal = OpenAlreadyError("This is contested already; write to the dispute that is open.")
    if Dispute.objects.filter(invoice=invoice, line=line).exclude(status=lifecycle.CLOSED).exists():
        raise refusal
    try:
        with transaction.atomic():
            dispute = _create(invoice, line, reason=claim.reason, text=text, origin=origin, actor=actor, at=at)
            rebuild.ask(dispute, actor=None, at=at)
            talk.tell_customer(dispute, text=_received(dispute), actor=None, at=at)
            move.keep_transition(dispute, from_status="", actor=actor, reason="", facts=_facts(dispute), at=at)
    except IntegrityError as error:  # somebody else opened it at the same moment
        if "disputes_dispute_one_open" not in str(error):
            raise
        raise refusal from error
    return dispute


def _create(
    invoice: Invoice, line: InvoiceLine | None, *, reason: str, text: str, origin: str, actor: Any, at: datetime
) -> Dispute:
    policy = policies.current_policy()
    step = due.step_of(lifecycle.EVIDENCE, terms=policy.terms, at=at)
    assert step is not None  # noqa: S101  the first step has an owner
    return Dispute.objects.create(
        customer=invoice.customer,
        invoice=invoice,
        line=line,
        invoice_hash=invoice.content_hash,
        policy=policy,
        reason=reason,
        text=personal_keys.seal_for(invoice.customer, text),
        origin=origin,
        opened_by=actor,
        opened_at=at,
        owner_role=step.owner,
        due_at=step.due_at,
        update_due_at=due.update_due(terms=policy.terms, at=at),
    )


def _line(invoice: Invoice, *, position: int | None) -> InvoiceLine | None:
    if position is None:
        return None
    line = invoice.lines.filter(position=position).first()
    if line is None:
        raise InvalidInputError(f"{invoice} has no line {position}.", pointer="/line")
    return line


def _facts(dispute: Dispute) -> dict[str, Any]:
    return {"claim": dispute.reason, "origin": dispute.origin, "policy": dispute.policy.version}


def _received(dispute: Dispute) -> str:
    assert dispute.due_at is not None  # noqa: S101  it is open
    return (
        f"We have received your dispute of {dispute.subject}. We now work the bill out again from every event that it "
        f"rests on, by {dispute.due_at:%d %b %Y %H:%M} UTC at the latest."
    )
