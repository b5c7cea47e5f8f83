"""People in finance approve the figures that stand there, and no others; above an amount of the policy it takes two."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, User
from django.db import transaction

from accounts import roles
from accounts.roles import Role
from core import audit
from core.errors import DomainError
from invoicing.cycle import content, delta_decide, move
from invoicing.cycle.models import Invoice, InvoiceApproval, InvoiceTransition
from invoicing.cycle.rules import approvals
from invoicing.policy.models import TriggerPolicy
from invoicing.policy.rules import terms as policy_terms

Status = Invoice.Status
DRAFTED = "drafted it"
DISCARDED = "had its earlier draft discarded"
ACCEPTED = "accepted a break on it"
APPROVED = "approved it already"
REFUSALS = {
    DRAFTED: "You drafted this invoice; a colleague in finance has to approve it.",
    DISCARDED: (
        "You had the earlier draft of this period discarded, so these figures come of your decision; a colleague"
        " in finance has to approve them."
    ),
    ACCEPTED: "You accepted a break on this invoice; a colleague in finance has to approve it.",
    APPROVED: "You approved these figures already; a second person in finance has to as well.",
}


class ContentChangedError(DomainError):
    """The figures are not those that were looked at."""

    code = "content_changed"


@dataclass(frozen=True, slots=True)
class Standing:
    """The approvals that count for an invoice as it stands, and how many people it takes."""

    given: tuple[InvoiceApproval, ...]
    needed: int

    @property
    def missing(self) -> int:
        return max(self.needed - len(self.given), 0)


@transaction.atomic
def approve_invoice(*, invoice_id: int, content_hash: str, actor: Any, at: datetime) -> Invoice:
    """Approve a draft by the hash of its content; refused to anyone who drafted it or decided on its figures.

    Where the policy asks for a second person, the first approval is kept and the invoice stays a draft.
    """
    roles.require_role(actor, Role.FINANCE, to="approve invoices")
    invoice = move.lock_invoice(invoice_id=invoice_id)
    move.require_move(invoice, to_status=Status.APPROVED)
    _require_second_person(invoice, actor=actor)
    if content_hash != invoice.content_hash:
        raise ContentChangedError(
            f"This invoice now reads {invoice.content_hash}; look at it again and approve that.",
            pointer="/content_hash",
        )
    require_unchanged(invoice)
    delta_decide.require_allowed(invoice)
    if _keep_approval(invoice, actor=actor, at=at).missing == 0:
        decision = {"approved_by_id": actor.pk, "approved_at": at, "approved_hash": content_hash}
        move.move_invoice(invoice, to_status=Status.APPROVED, actor=actor, changes=decision, at=at)
    return invoice


def require_unchanged(invoice: Invoice) -> None:
    """ContentChangedError unless the rows still say what was hashed when the invoice was drafted."""
    if content.hash_of_rows(invoice) != invoice.content_hash:
        raise ContentChangedError(
            "The rows of this invoice no longer say what was drafted. Do not issue it: discard it, close the period"
            " again, and find out who changed the database."
        )


def standing_of(invoice: Invoice, *, given: Sequence[InvoiceApproval] | None = None) -> Standing:
    """Who has approved what stands there, and how many people it takes; `given` are all its approvals, if read."""
    kept = invoice.approvals.select_related("person") if given is None else given
    moves_since = {Status.APPROVED: 1, Status.FINAL: 2}.get(Status(invoice.status), 0)
    live = tuple(one for one in kept if one.revision == invoice.revision - moves_since)
    if invoice.status == Status.DRAFT:
        live = _still_in_finance(live)
    return Standing(given=live, needed=people_needed(invoice))


def people_needed(invoice: Invoice) -> int:
    """By the policy version that decided over the invoice."""
    return needed_by(invoice.policy, total=invoice.total, currency=invoice.currency)


def needed_by(policy: TriggerPolicy | None, *, total: Decimal, currency: str) -> int:
    """How many people this policy asks for over such a total; one where it is silent."""
    limits = {} if policy is None else policy_terms.parse_terms(policy.terms).approval.second_person_above
    return approvals.people_needed(total=total, second_above=limits.get(currency))


def hands_in(invoice: Invoice) -> dict[int, str]:
    """Who cannot approve the figures as they stand, by person id: what they did, such as `drafted it`."""
    approved = invoice.approvals.filter(revision=invoice.revision).values_list("person", flat=True)
    hands = dict.fromkeys(approved, APPROVED)
    hands |= dict.fromkeys(invoice.breaks.filter(closed_by__isnull=False).values_list("closed_by", flat=True), ACCEPTED)
    discards = InvoiceTransition.objects.filter(
        invoice__cycle_id=invoice.cycle_id,
        invoice__kind=invoice.kind,
        invoice__lt=invoice.pk,
        to_status=Status.DISCARDED,
    )
    hands |= dict.fromkeys(discards.filter(actor__isnull=False).values_list("actor", flat=True), DISCARDED)
    return hands | ({} if invoice.drafted_by_id is None else {invoice.drafted_by_id: DRAFTED})


def _keep_approval(invoice: Invoice, *, actor: Any, at: datetime) -> Standing:
    before = standing_of(invoice)
    facts = {"content_hash": invoice.content_hash, "given": len(before.given) + 1, "needed": before.needed}
    entry = audit.append_entry(
        action="invoice.approval_given", subject=f"invoice:{invoice.pk}", actor=actor, facts=facts, at=at
    )
    kept = InvoiceApproval.objects.create(
        invoice=invoice,
        revision=invoice.revision,
        person=actor,
        content_hash=invoice.content_hash,
        people_needed=before.needed,
        given_at=at,
        audit_entry=entry,
    )
    return Standing(given=(*before.given, kept), needed=before.needed)


def _still_in_finance(given: tuple[InvoiceApproval, ...]) -> tuple[InvoiceApproval, ...]:
    """An approval is worth nothing once its person may no longer approve; the next one is asked instead."""
    people = User.objects.in_bulk({one.person_id for one in given})
    return tuple(one for one in given if roles.has_role(people[one.person_id], [Role.FINANCE]))


def _require_second_person(invoice: Invoice, *, actor: AbstractBaseUser) -> None:
    hand = hands_in(invoice).get(actor.pk)
    if hand is not None:
        raise move.SamePersonError(REFUSALS[hand])
