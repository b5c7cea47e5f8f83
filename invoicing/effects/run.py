"""Asks what a proposed change would have cost each customer over the last closed period, in the background."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import roles
from accounts.roles import Role
from core import work
from core.errors import NotFoundError
from invoicing.effects import compare
from invoicing.effects.compare import Compared
from invoicing.effects.models import Effect, EffectRun, PlanMove
from invoicing.pricing import queries as pricing_queries
from invoicing.pricing.models import PlanVersion, PriceVersion
from invoicing.pricing.proposals import AUTHORS
from invoicing.pricing.segments import Supposed

RUN_JOB = "effect_run"
CHUNK = 500

Subject = PriceVersion | PlanVersion | PlanMove


def ask(*, subject: Subject, actor: Any, at: datetime) -> EffectRun:
    """Queue the question; a worker answers it customer by customer."""
    roles.require_role(actor, *sorted(AUTHORS | {Role.AUDITOR}), to="ask for the effect of a change")
    with transaction.atomic():
        run = EffectRun.objects.create(**{_field(subject): subject}, as_of=at, asked_by=actor, asked_at=at)
        work.enqueue(kind=RUN_JOB, key=str(run.pk), arguments={"run_id": run.pk}, at=at)
    return run


def find_run(run_id: int) -> EffectRun:
    """One run; NotFoundError where there is none."""
    run = EffectRun.objects.filter(pk=run_id).first()
    if run is None:
        raise NotFoundError(f"There is no run {run_id}.")
    return run


def answer(*, run_id: int, at: datetime) -> None:
    """Compare every customer's last closed period; begun again, it goes on after what is there already."""
    run = EffectRun.objects.get(pk=run_id)
    due = pricing_queries.last_closed_periods(plan_id=run.plan.pk, as_of=run.as_of)
    EffectRun.objects.filter(pk=run.pk).update(total=len(due))
    known = set(run.effects.values_list("subscription_id", flat=True))
    missing = [each for each in due if each.subscription_id not in known]
    for begin in range(0, len(missing), CHUNK):
        chunk = missing[begin : begin + CHUNK]
        _keep(run, compare.compare_periods(chunk, supposed=supposed_by(run.subject), at=at))
    EffectRun.objects.filter(pk=run.pk).update(finished_at=at)


def supposed_by(subject: Subject) -> Supposed:
    """The change as if it had been in force all the time."""
    match subject:
        case PriceVersion():
            return Supposed(prices={subject.charge_id: subject.pk})
        case PlanVersion():
            return Supposed(terms={subject.plan_id: subject.pk})
    return Supposed(plans={subject.source_id: subject.target_id}, without_kept=True)


def _keep(run: EffectRun, compared: Sequence[Compared]) -> None:
    currency = run.plan.currency
    effects = [
        Effect(
            run=run,
            subscription_id=each.due.subscription_id,
            customer_id=each.due.customer_id,
            period_start=each.due.period.start,
            period_end=each.due.period.end,
            currency=currency,
            old_amount=each.old,
            new_amount=each.new,
            problem=each.problem[:300],
        )
        for each in compared
    ]
    Effect.objects.bulk_create(effects)


def _field(subject: Subject) -> str:
    match subject:
        case PriceVersion():
            return "price_version"
        case PlanVersion():
            return "plan_version"
    return "move"
