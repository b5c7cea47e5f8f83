"""Correct issued invoices without waiting for the next one: where the policy says so, and where none will come."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from django.contrib.auth.models import AbstractBaseUser
from django.db import connection, transaction
from django.db.models import Q

from accounts.models import Customer, Seller
from core import knowing
from core.locks import LockClass
from core.periods import Period
from invoicing.cycle import (
    adjust,
    agreements,
    close,
    delta,
    delta_decide,
    draft,
    due,
    late_policy,
    reconcile,
    undisturbed,
)
from invoicing.cycle.bills import Bill
from invoicing.cycle.models import Invoice, InvoiceLine
from invoicing.cycle.rules.agreed import NO_TERMS, DocumentTerms
from invoicing.cycle.taxes import TaxTable
from invoicing.policy import queries as policy_queries
from invoicing.policy.models import TriggerPolicy
from invoicing.pricing.models import Subscription
from invoicing.pricing.queries import DuePeriod
from metering import queries as metering_queries
from metering import watermark as watermarks
from metering.models import Watermark

CHUNK_CUSTOMERS = 500  # as many locks are held at once


@dataclass(slots=True)
class AtOnceReport:
    """Documents drafted, reports of corrections that change no amount, and customers whose late usage waits.

    These wait because no policy or tax rate is in force.
    """

    invoice_ids: list[int] = field(default_factory=list)
    unchanged_ids: list[int] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Run:
    """What all chunks share."""

    seller: Seller
    watermark: Watermark
    actor: AbstractBaseUser | None
    at: datetime
    report: AtOnceReport


def draft_adjustments(
    *, customer_codes: Sequence[str] | None = None, actor: AbstractBaseUser | None = None, at: datetime
) -> AtOnceReport:
    """Draft one document per subscription with all that is late by now; run again, it finds nothing more to do.

    A subscription that is over and whose customer gets no invoice any more is corrected this way under any policy.
    """
    if customer_codes is not None:
        due.require_known(customer_codes)
    chosen = None if customer_codes is None else Customer.objects.filter(code__in=customer_codes)
    ids = None if chosen is None else sorted(chosen.values_list("pk", flat=True))
    report = AtOnceReport()
    if not metering_queries.late_windows(customer_ids=ids):
        return report
    run = _Run(close.the_seller(), watermarks.fix_watermark(at=at), actor, at, report)
    with knowing.as_of(at):
        _draft_all(ids, run=run)
    return report


def _draft_all(ids: Sequence[int] | None, *, run: _Run) -> None:
    """What is agreed after the instant of the run is not read, however long it takes."""
    customers = sorted({line.invoice.customer_id for line in _late_lines(ids, watermark=run.watermark)})
    for start in range(0, len(customers), CHUNK_CUSTOMERS):
        chunk = customers[start : start + CHUNK_CUSTOMERS]
        undisturbed.until_undisturbed(partial(_draft_chunk, chunk, run=run))


def _late_lines(customer_ids: Sequence[int] | None, *, watermark: Watermark) -> list[InvoiceLine]:
    windows = metering_queries.late_windows(customer_ids=customer_ids, watermark=watermark)
    snapshots = [window.snapshot_id for window in windows]
    return list(adjust.adjustable_lines(Q(rated_line__snapshot__in=snapshots))) if snapshots else []


@transaction.atomic
def _draft_chunk(customer_ids: Sequence[int], *, run: _Run) -> None:
    """One transaction; what another run or a close drafted while this one waited is not late any more."""
    _lock_customers(customer_ids)
    mark = undisturbed.mark()
    lines = _late_lines(customer_ids, watermark=run.watermark)
    customers = Customer.objects.in_bulk({line.invoice.customer_id for line in lines})
    policies = policy_queries.policies_in_force((one.program for one in customers.values()), at=run.at)
    lines = _due_at_once(lines, customers=customers, policies=policies, at=run.at)
    waiting: list[str] = []
    bills = open_bills(lines, customers=customers, policies=policies, waiting=waiting)
    if not bills:
        run.report.waiting += waiting
        return
    adjust.add_adjustments(bills, late_lines=lines, watermark=run.watermark, at=run.at)
    found = [bill for bill in bills if bill.lines]
    reconcile.tie_out_bills(found, watermark=run.watermark)
    unchanged = [bill for bill in found if _changes_nothing(bill)]
    worth = [bill for bill in found if not _changes_nothing(bill)]
    sheets = draft.draft_invoices(
        worth, seller=run.seller, watermark=run.watermark, agreed_up_to=mark, actor=run.actor, at=run.at
    )
    run.report.waiting += waiting
    run.report.invoice_ids += [sheet.invoice.pk for sheet in sheets]
    reports = delta.report_unchanged(unchanged, actor=run.actor, at=run.at)
    delta_decide.note_unchanged(reports, at=run.at)
    run.report.unchanged_ids += [report.pk for report in reports]


def _changes_nothing(bill: Bill) -> bool:
    """No document is owed for lines of 0.00 alone; lines that cancel out are shown, and a break is held."""
    return not any(line.amount for line in bill.lines) and not (bill.result and bill.result.findings)


def _lock_customers(customer_ids: Sequence[int]) -> None:
    """The locks of a close, in the same order."""
    keys = sorted({customer_id % 2**31 for customer_id in customer_ids})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, key) FROM unnest(%s::int[]) AS key", [int(LockClass.CYCLE), keys]
        )


def _due_at_once(
    lines: Sequence[InvoiceLine],
    *,
    customers: Mapping[int, Customer],
    policies: Mapping[str, TriggerPolicy],
    at: datetime,
) -> list[InvoiceLine]:
    asked = {pk for pk, one in customers.items() if late_policy.corrects_at_once(policies.get(one.program))}
    left = [line for line in lines if line.invoice.customer_id not in asked]
    over = _without_next_invoice({line.invoice.customer_id for line in left}, customers=customers, at=at)
    return [line for line in lines if line.invoice.customer_id in asked | over]


def _without_next_invoice(ids: set[int], *, customers: Mapping[int, Customer], at: datetime) -> set[int]:
    """Customers whose subscriptions are all over and closed: nothing will carry a correction."""
    if not ids:
        return set()
    running = Subscription.objects.filter(Q(ends_at=None) | Q(ends_at__gt=at), customer__in=ids)
    open_periods = due.open_periods(as_of=at, customer_codes=[customers[pk].code for pk in sorted(ids)], at=at)
    goes_on = set(running.values_list("customer_id", flat=True)) | {each.customer_id for each in open_periods}
    return ids - goes_on


def open_bills(
    lines: Iterable[InvoiceLine],
    *,
    customers: Mapping[int, Customer],
    policies: Mapping[str, TriggerPolicy],
    waiting: list[str],
) -> list[Bill]:
    """A bill per subscription and currency, standing on the latest period that it corrects.

    Customers without a policy or tax rate in force are added to `waiting`.
    """
    latest: dict[tuple[int, str], Invoice] = {}
    for line in lines:
        key = line.rated_line.subscription_id, line.invoice.currency
        if key not in latest or latest[key].period_end < line.invoice.period_end:
            latest[key] = line.invoice
    table = TaxTable(customers.values())
    found = {key: _due_of(subscription_id, invoice) for key, invoice in latest.items() for subscription_id in key[:1]}
    agreed = agreements.document_terms(list(found.values()))
    bills = []
    for key, invoice in sorted(latest.items()):
        customer, each = customers[invoice.customer_id], found[key]
        policy, taxes = policies.get(customer.program), table.terms(customer, period=each.period)
        if policy is None or taxes is None:
            waiting.append(customer.code)
            continue
        bills.append(
            Bill(
                due=each,
                cycle=invoice.cycle,
                customer=customer,
                zone=invoice.parties["customer"]["time_zone"],
                kind=Invoice.Kind.ADJUSTMENT,
                policy=policy,
                taxes=taxes,
                terms=_shares(agreed.get(each, NO_TERMS)),
            )
        )
    return bills


def _due_of(subscription_id: int, invoice: Invoice) -> DuePeriod:
    return DuePeriod(subscription_id, invoice.customer_id, Period(invoice.period_start, invoice.period_end))


def _shares(terms: DocumentTerms) -> DocumentTerms:
    """A percentage is of these lines too; an amount for each invoice was taken on the invoice."""
    return replace(terms, agreed=tuple(one for one in terms.agreed if one.percent is not None))
