"""Interim invoices: while a period runs, draft what was used once it reaches the amount that the policy names."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import partial
from itertools import groupby

import structlog
from django.contrib.auth.models import AbstractBaseUser
from django.db import InterfaceError, OperationalError, transaction

from accounts.models import Seller
from core import deciding, knowing, locks
from core.deciding import Kind
from core.errors import DomainError
from invoicing.cycle import close, draft, interim, running, stopped, undisturbed
from invoicing.cycle.bills import Bill
from invoicing.cycle.models import InterimFiring, Invoice
from invoicing.cycle.rules import crossing
from invoicing.cycle.rules.crossing import ChargeSoFar
from invoicing.cycle.running import Running
from invoicing.policy import begin
from invoicing.pricing.segments import PriceSegment
from metering import watermark as watermarks
from metering.models import Watermark

Cause = InterimFiring.Cause

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What asks for a draft now, under the charge control of the policy in force that bills in this currency.

    It is answered once in a period.
    """

    by: str
    currency: str


@dataclass(slots=True, kw_only=True)
class OffCycleReport:
    """Interim drafts by id, those held among them, and what could not be drafted: subscription and reason."""

    invoice_ids: list[int] = field(default_factory=list)
    held: int = 0
    failed: list[tuple[int, str]] = field(default_factory=list)

    def add(self, other: "OffCycleReport") -> None:
        """What another run did, too."""
        self.invoice_ids += other.invoice_ids
        self.held += other.held
        self.failed += other.failed


@dataclass(frozen=True, slots=True)
class _Run:
    """What all customers of one run share."""

    seller: Seller
    watermark: Watermark
    actor: AbstractBaseUser | None
    asked: Asked | None
    at: datetime
    report: OffCycleReport


def draft_interims(
    *,
    customer_ids: Collection[int] | None = None,
    asked: Asked | None = None,
    actor: AbstractBaseUser | None = None,
    at: datetime,
) -> OffCycleReport:
    """Draft an interim invoice for every running period whose unbilled usage has reached the amount of its policy.

    This counts raw events, so it is asked for customers whose sums say so. Where a charge control asks, what was used
    is billed whatever it comes to. One transaction per customer: two runs at once draft each crossing once, and a
    customer whose data is unusable is reported while the others go on. What is agreed after `at` is not read, however
    long the run takes.
    """
    begin.begin_due_policies(at=at)
    with knowing.as_of(at):
        return _draft_all(customer_ids=customer_ids, asked=asked, actor=actor, at=at)


def _draft_all(
    *, customer_ids: Collection[int] | None, asked: Asked | None, actor: AbstractBaseUser | None, at: datetime
) -> OffCycleReport:
    report = OffCycleReport()
    found = running.running_periods(customer_ids=customer_ids, at=at)
    if not found:
        return report
    run = _Run(close.the_seller(), watermarks.fix_watermark(at=at), actor, asked, at, report)
    for customer_id, own in groupby(found, key=lambda each: each.due.customer_id):
        _draft_or_report(customer_id, list(own), run=run)
    return report


def _draft_or_report(customer_id: int, found: Sequence[Running], *, run: _Run) -> None:
    try:
        undisturbed.until_undisturbed(partial(_draft_customer, customer_id, run=run))
    except (OperationalError, InterfaceError):
        raise  # the database itself: nobody else would fare better
    except Exception as error:  # whatever one customer's data does must not stop the others
        if not isinstance(error, DomainError):
            log.exception("interim_failed", customer_id=customer_id)
        subscriptions = [each.due.subscription_id for each in found]
        reason = stopped.note_failure(customer_id=customer_id, subscription_ids=subscriptions, error=error, at=run.at)
        run.report.failed += [(subscription_id, reason) for subscription_id in subscriptions]


def _draft_customer(customer_id: int, *, run: _Run) -> None:
    """All running periods of one customer, or none of them."""
    with deciding.deciding(Kind.INVOICE):
        locks.lock_exclusive(locks.LockClass.CYCLE, customer_id % 2**31)  # as a close does
        mark = undisturbed.mark()
        again = running.running_periods(customer_ids=[customer_id], at=run.at)
        drafted = []
        for own, pairs in groupby(running.usage_segments(again, at=run.at), key=lambda pair: pair[0]):
            invoice = _draft_one(own, [segment for _, segment in pairs], mark=mark, run=run)
            drafted += [] if invoice is None else [invoice]
        stopped.let_go(customer_id=customer_id, at=run.at)
    run.report.invoice_ids += [invoice.pk for invoice in drafted]
    run.report.held += sum(invoice.status == Invoice.Status.HELD for invoice in drafted)


def _draft_one(own: Running, segments: Sequence[PriceSegment], *, mark: int, run: _Run) -> Invoice | None:
    """The draft; None where the amount is not reached, and what was counted for it is undone."""
    with transaction.atomic():
        bill, so_far = interim.fill_bill(own, segments, watermark=run.watermark, at=run.at)
        threshold = _threshold(own, bill, run=run)
        unbilled = crossing.unbilled(so_far)
        if threshold is None or unbilled <= 0 or (run.asked is None and unbilled < threshold):
            transaction.set_rollback(True)
            return None
        if own.cycle is None:
            bill.cycle.save()
        [sheet] = draft.draft_invoices(
            [bill], seller=run.seller, watermark=run.watermark, agreed_up_to=mark, actor=run.actor, at=run.at
        )
        _note_firing(own, bill, so_far, invoice=sheet.invoice, threshold=threshold, unbilled=unbilled, run=run)
        return sheet.invoice


def _threshold(own: Running, bill: Bill, *, run: _Run) -> Decimal | None:
    """The amount in the currency of the bill that the policy names; None where it names none."""
    if run.asked is None:
        amounts = {one.currency: one.amount for one in own.terms.off_cycle.triggers}
        return amounts.get(bill.currency)
    fired = own.cycle is not None and own.cycle.firings.filter(cause=Cause.CREDIT_EXPOSURE).exists()
    controls = [one for one in own.terms.charge_controls if one.action == "interim_bill"]
    amounts = {one.currency: one.amount for one in controls if one.currency == run.asked.currency}
    return None if fired else amounts.get(bill.currency)


def _note_firing(
    own: Running,
    bill: Bill,
    so_far: Sequence[ChargeSoFar],
    *,
    invoice: Invoice,
    threshold: Decimal,
    unbilled: Decimal,
    run: _Run,
) -> None:
    InterimFiring.objects.create(
        cycle=bill.cycle,
        ordinal=bill.cycle.firings.count() + 1,
        invoice=invoice,
        policy=own.policy,
        cause=Cause.UNBILLED_AMOUNT if run.asked is None else Cause.CREDIT_EXPOSURE,
        asked_by="" if run.asked is None else run.asked.by,
        currency=bill.currency,
        threshold=threshold,
        unbilled=unbilled,
        watermark=run.watermark,
        facts=[one.as_json() for one in so_far],
        fired_at=run.at,
    )
