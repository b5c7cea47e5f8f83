"""Proposes and approves what is taken off or added on whole invoices, and says what is in force."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from core import knowing, money, personal_keys
from core.errors import InvalidInputError, NotFoundError
from invoicing.pricing import proposals
from invoicing.pricing.models import InvoiceTerm, Plan, ProposalStatus, Subscription, SubscriptionPhase
from invoicing.pricing.queries import DuePeriod
from invoicing.pricing.rules import instants

Kind = InvoiceTerm.Kind


class InvoiceTermError(InvalidInputError):
    """A term that says nothing, too much, or an amount that its currency cannot express."""

    code = "invoice_term_invalid"


def propose_invoice_term(
    *,
    subject: Plan | Subscription,
    code: str,
    kind: str,
    reason: str,
    percent: Decimal | None = None,
    amount: Decimal | None = None,
    effective_at: datetime,
    actor: Any,
    at: datetime,
) -> InvoiceTerm:
    """The next version of a term, for another person to approve; it counts for periods that end after its instant."""
    proposals.check_author(actor)
    instants.check_instant(effective_at, pointer="/effective_at")
    owner = {"plan": subject} if isinstance(subject, Plan) else {"subscription": subject}
    with transaction.atomic():
        currency = _lock(subject)
        _check_figure(kind=kind, percent=percent, amount=amount, currency=currency)
        if kind == Kind.PREPAID and isinstance(subject, Plan):
            raise InvoiceTermError("What was paid in advance belongs to one subscription.", pointer="/subscription")
        siblings = InvoiceTerm.objects.filter(**owner, code=code)
        term = InvoiceTerm.objects.create(
            **owner,
            code=code,
            kind=kind,
            reason=_told(subject, reason),
            percent=percent,
            amount=amount,
            version=proposals.next_version(siblings, effective_at=effective_at, at=at),
            effective_at=effective_at,
            created_by=actor,
            created_at=at,
        )
        proposals.record_proposal(term, subject=_subject(term), facts=_facts(term))
    return term


def _told(subject: Plan | Subscription, reason: str) -> str:
    """A plan's is about nobody; a subscription's is about its customer."""
    return reason if isinstance(subject, Plan) else personal_keys.tell_about(subject.customer, reason)


def approve_invoice_term(*, pk: int, actor: Any, at: datetime) -> InvoiceTerm:
    """Let a term count from its instant on; refused to its author."""
    with transaction.atomic():
        term = _lock_term(pk)
        proposals.approve(term, siblings=_siblings(term), subject=_subject(term), actor=actor, at=at)
    return term


def withdraw_invoice_term(*, pk: int, actor: Any, at: datetime) -> InvoiceTerm:
    """Turn a proposed term down; it is kept."""
    with transaction.atomic():
        term = _lock_term(pk)
        proposals.withdraw(term, subject=_subject(term), actor=actor, at=at)
    return term


def terms_in_force(due: Sequence[DuePeriod]) -> dict[DuePeriod, tuple[InvoiceTerm, ...]]:
    """What is agreed for each period at its last moment, by code; periods without anything are left out."""
    ids = {each.subscription_id for each in due}
    phases = SubscriptionPhase.objects.filter(subscription__in=ids)
    approved = InvoiceTerm.objects.filter(
        Q(subscription__in=ids) | Q(plan__in=phases.values("plan")),
        knowing.is_known("decided_at"),
        status=ProposalStatus.APPROVED,
    )
    of_plan: dict[int, list[InvoiceTerm]] = defaultdict(list)
    of_subscription: dict[int, list[InvoiceTerm]] = defaultdict(list)
    for term in approved.order_by("effective_at", "version"):
        if term.plan_id is not None:
            of_plan[term.plan_id].append(term)
        elif term.subscription_id is not None:
            of_subscription[term.subscription_id].append(term)
    if not of_plan and not of_subscription:
        return {}
    found = {}
    for each, plan_id in _last_plans(due, phases=phases):
        own = [*of_plan[plan_id], *of_subscription[each.subscription_id]]
        terms = _latest(own, moment=_last_moment(each))
        if terms:
            found[each] = tuple(terms[code] for code in sorted(terms))
    return found


def _latest(terms: Iterable[InvoiceTerm], *, moment: datetime) -> Mapping[str, InvoiceTerm]:
    """Of each code the last one begun by then; they come in order of time, the subscription's own last."""
    return {term.code: term for term in terms if term.effective_at <= moment}


def _last_plans(due: Iterable[DuePeriod], *, phases: QuerySet[SubscriptionPhase]) -> Iterable[tuple[DuePeriod, int]]:
    spans: dict[int, list[tuple[datetime, int]]] = defaultdict(list)
    for subscription_id, starts_at, plan_id in phases.order_by("starts_at").values_list(
        "subscription_id", "starts_at", "plan_id"
    ):
        spans[subscription_id].append((starts_at, plan_id))
    for each in due:
        begun = [plan_id for starts_at, plan_id in spans[each.subscription_id] if starts_at <= _last_moment(each)]
        yield from ((each, plan_id) for plan_id in begun[-1:])


def _last_moment(due: DuePeriod) -> datetime:
    return due.period.end - timedelta(microseconds=1)


def _check_figure(*, kind: str, percent: Decimal | None, amount: Decimal | None, currency: str) -> None:
    if (percent is None) == (amount is None):
        raise InvoiceTermError("Give either a percentage of the lines or an amount.", pointer="/percent")
    if percent is not None and kind in (Kind.ROUNDING, Kind.PREPAID):
        detail = "A rounding names the multiple to round to, and what was paid in advance is an amount."
        raise InvoiceTermError(detail, pointer="/amount")
    if percent is not None and not 0 <= percent <= 100:  # noqa: PLR2004  a whole, in percent
        raise InvoiceTermError("A percentage lies between 0 and 100.", pointer="/percent")
    if amount is not None and (amount < 0 or money.round_amount(amount, currency=currency) != amount):
        detail = f"Must be 0 or more, with at most {money.currency_exponent(currency)} decimals in {currency}."
        raise InvoiceTermError(detail, pointer="/amount")


def _lock(subject: Plan | Subscription) -> str:
    """One decision at a time on the terms of a plan or subscription; its currency."""
    if isinstance(subject, Plan):
        return Plan.objects.select_for_update(no_key=True).get(pk=subject.pk).currency
    locked = Subscription.objects.select_for_update(no_key=True).get(pk=subject.pk)
    return locked.phases.select_related("plan").latest("starts_at").plan.currency


def _lock_term(pk: int) -> InvoiceTerm:
    found = InvoiceTerm.objects.select_related("plan", "subscription").filter(pk=pk).first()
    if found is None:
        raise NotFoundError(f"There is no invoice term {pk}.")
    subject = found.plan or found.subscription
    assert subject is not None  # noqa: S101  one of them is there, by constraint
    _lock(subject)
    return InvoiceTerm.objects.get(pk=pk)


def _siblings(term: InvoiceTerm) -> QuerySet[InvoiceTerm]:
    return InvoiceTerm.objects.filter(plan=term.plan_id, subscription=term.subscription_id, code=term.code)


def _subject(term: InvoiceTerm) -> str:
    owner = f"plan-{term.plan_id}" if term.plan_id else f"subscription-{term.subscription_id}"
    return f"invoice_term:{owner}/{term.code}/{term.version}"


def _facts(term: InvoiceTerm) -> dict[str, str]:
    figure = {
        name: money.plain(number)
        for name, number in (("percent", term.percent), ("amount", term.amount))
        if number is not None
    }
    return {"kind": term.kind, "reason": term.reason, **figure}
