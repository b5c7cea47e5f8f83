"""One decision over many invoices: each is decided by itself, and each answers for itself."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db import transaction

from accounts import roles
from accounts.roles import Role
from core import personal_keys, told_of_many
from core.errors import DomainError, InvalidInputError
from core.told import Told
from invoicing.cycle import approve, hold
from invoicing.cycle.models import HoldReason, Invoice
from invoicing.cycle.rules import reasons

INVOICES_MAX = 500
Use = HoldReason.Use
Wanted = TypeVar("Wanted")


class TooManyError(InvalidInputError):
    """More invoices than one call decides."""

    code = "too_many"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one invoice: `approved`, `first_of_two`, `held`, `released`, or `refused` with code and reason."""

    invoice_id: int
    outcome: str
    code: str = ""
    detail: str = ""


def approve_invoices(*, figures: Sequence[tuple[int, str]], actor: Any, at: datetime) -> list[Outcome]:
    """Approve each draft by its id and the hash that was looked at; it takes two people as the policy says."""

    def approve_one(wanted: tuple[int, str]) -> Outcome:
        invoice_id, content_hash = wanted
        invoice = approve.approve_invoice(invoice_id=invoice_id, content_hash=content_hash, actor=actor, at=at)
        if invoice.status == Invoice.Status.APPROVED:
            return Outcome(invoice_id=invoice_id, outcome="approved")
        detail = "Approved by you; a second person in finance has to approve it too."
        return Outcome(invoice_id=invoice_id, outcome="first_of_two", detail=detail)

    roles.require_role(actor, Role.FINANCE, to="approve invoices")
    return _decide_each(figures, approve_one, id_of=lambda wanted: wanted[0])


def hold_invoices(
    *, invoice_ids: Sequence[int], reason: str, reason_code: str, actor: Any, at: datetime
) -> list[Outcome]:
    """Hold each with the same reason."""
    reason = _told(reason, label=hold.label_of(reason_code, use=Use.HOLD), invoice_ids=invoice_ids)

    def hold_one(invoice_id: int) -> Outcome:
        hold.hold_invoice(invoice_id=invoice_id, reason=reason, reason_code=reason_code, actor=actor, at=at)
        return Outcome(invoice_id=invoice_id, outcome="held")

    roles.require_role(actor, Role.FINANCE, to="hold invoices")
    return _decide_each(invoice_ids, hold_one, id_of=int)


def release_invoices(
    *, invoice_ids: Sequence[int], reason: str, reason_code: str, actor: Any, at: datetime
) -> list[Outcome]:
    """Release each with the same reason; never a hold of one's own."""
    reason = _told(reason, label=hold.label_of(reason_code, use=Use.RELEASE), invoice_ids=invoice_ids)

    def release_one(invoice_id: int) -> Outcome:
        hold.release_invoice(invoice_id=invoice_id, reason=reason, reason_code=reason_code, actor=actor, at=at)
        return Outcome(invoice_id=invoice_id, outcome="released")

    roles.require_role(actor, Role.FINANCE, to="release invoices")
    return _decide_each(invoice_ids, release_one, id_of=int)


def tell_of_invoices(text: str, *, invoice_ids: Collection[int]) -> Told:
    """Words about all customers of these invoices, which are kept as long as each of them is."""
    invoices = Invoice.objects.filter(pk__in=invoice_ids).order_by()
    keys = dict(invoices.values_list("customer", "customer__personal_key").distinct())
    if len(keys) == 1:
        return personal_keys.tell_under(next(iter(keys.values())), text)
    return told_of_many.tell_of_many(text, about=keys.values())


def _told(reason: str, *, label: str, invoice_ids: Collection[int]) -> str:
    """Clean, with its label, and told of many; what is no reason is left for each invoice to refuse."""
    try:
        clean = reasons.clean_reason(str(reason), label=label)
    except reasons.ReasonMissingError:
        return reason
    if clean == label:  # a usual reason says nothing of anybody
        return ""
    if told_of_many.key_of(reason) is not None:
        return told_of_many.tell_of_same(reason, clean) if label else reason
    return tell_of_invoices(clean, invoice_ids=invoice_ids)


def _decide_each(
    wanted: Sequence[Wanted], decide: Callable[[Wanted], Outcome], *, id_of: Callable[[Wanted], int]
) -> list[Outcome]:
    """In ascending order of id, as every lock on several invoices is taken; a refusal undoes only its own invoice."""
    if len(wanted) > INVOICES_MAX:
        raise TooManyError(f"Decide over at most {INVOICES_MAX} invoices at once, not {len(wanted)}.")
    outcomes = []
    for one in sorted(wanted, key=id_of):
        try:
            with transaction.atomic():
                outcomes.append(decide(one))
        except DomainError as error:
            refused = Outcome(invoice_id=id_of(one), outcome="refused", code=error.code, detail=error.message)
            outcomes.append(refused)
    return outcomes
