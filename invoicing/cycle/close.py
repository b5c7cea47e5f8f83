"""Close periods: count, rate, reconcile and draft everything that is over and not drafted yet."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

import structlog
from django.contrib.auth.models import AbstractBaseUser
from django.db import InterfaceError, OperationalError, connection, transaction

from accounts.models import Customer, Seller
from core import bulk
from core.errors import DomainError
from core.locks import LockClass
from invoicing.cycle import assemble, draft, due, reconcile
from invoicing.cycle.bills import Bill, CloseFailure
from invoicing.pricing.queries import DuePeriod
from metering import queries as metering_queries
from metering import watermark as watermarks
from metering.models import Watermark

CHUNK_PERIODS = 1000  # also the most advisory locks that a close holds at once
Progress = Callable[[int, int], None]

log = structlog.get_logger(__name__)


class SellerMissingError(DomainError):
    """Nobody is set up in whose name to bill."""

    code = "seller_missing"


@dataclass(slots=True, kw_only=True)
class CloseReport:
    """What a close did: drafts written (held ones among them), and what it could not do.

    Late windows still waiting stand on drafts, which a fresh draft takes in, or belong to subscriptions that are over.
    """

    drafted: int = 0
    held: int = 0
    breaks: int = 0
    adjusted: int = 0
    nothing_to_bill: int = 0
    late_waiting: int = 0
    failed: list[CloseFailure] = field(default_factory=list)
    invoice_ids: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Run:
    """What all chunks of one close share."""

    seller: Seller
    watermark: Watermark
    actor: AbstractBaseUser | None
    at: datetime
    report: CloseReport


def close_cycles(
    *,
    as_of: datetime,
    customer_codes: Sequence[str] | None = None,
    actor: AbstractBaseUser | None = None,
    at: datetime,
    progress: Progress | None = None,
) -> CloseReport:
    """Draft every period that ended by `as_of`, of all customers or of those named.

    Each chunk is one transaction, so a close that was killed has done whole chunks or nothing of them; run again, it
    does what is missing. Two at once share the work: a period is drafted once. A customer whose data is unusable is
    reported, and the others go on. A period that is still running may be closed early: usage that arrives for it after
    this close is late, and becomes an adjustment.
    """
    seller = the_seller()
    periods = due.open_periods(as_of=as_of, customer_codes=customer_codes, at=at)
    report = CloseReport()
    if periods:
        _close_all(periods, run=_Run(seller, watermarks.fix_watermark(at=at), actor, at, report), progress=progress)
    customers = Customer.objects.filter(code__in=customer_codes) if customer_codes is not None else None
    ids = None if customers is None else list(customers.values_list("pk", flat=True))
    report.late_waiting = len(metering_queries.late_windows(customer_ids=ids))
    return report


def _close_all(periods: Sequence[DuePeriod], *, run: _Run, progress: Progress | None) -> None:
    done = 0
    for chunk in _chunks(periods):
        _close_or_split(chunk, run=run)
        done += len(chunk)
        if progress is not None:
            progress(done, len(periods))


def the_seller() -> Seller:
    """The one issuing company; SellerMissingError says what to do where there is none, or more than one."""
    sellers = list(Seller.objects.order_by("pk")[:2])
    if not sellers:
        raise SellerMissingError("There is no seller yet: add one in the back office under Seller.")
    if len(sellers) > 1:
        raise SellerMissingError("There are several issuing companies, and customers name none: keep only one.")
    return sellers[0]


def _chunks(periods: Sequence[DuePeriod]) -> Iterator[list[DuePeriod]]:
    """Whole customers, up to CHUNK_PERIODS periods together."""
    chunk: list[DuePeriod] = []
    for _, own in groupby(periods, key=lambda each: each.customer_id):
        theirs = list(own)
        if chunk and len(chunk) + len(theirs) > CHUNK_PERIODS:
            yield chunk
            chunk = []
        chunk += theirs
    if chunk:
        yield chunk


def _close_or_split(chunk: Sequence[DuePeriod], *, run: _Run) -> None:
    """Close the chunk; if something in it cannot be closed, halve it until the customer stands alone."""
    try:
        _close_together(chunk, run=run)
    except (OperationalError, InterfaceError):
        raise  # the database itself: nobody else would fare better
    except Exception as error:  # whatever one customer's data does must not stop the others
        customers = sorted({each.customer_id for each in chunk})
        if len(customers) == 1:
            if not isinstance(error, DomainError):
                log.exception("close_failed", customer_id=customers[0])
            _report_failure(chunk, error, run=run)
            return
        middle = customers[len(customers) // 2]
        _close_or_split([each for each in chunk if each.customer_id < middle], run=run)
        _close_or_split([each for each in chunk if each.customer_id >= middle], run=run)


def _report_failure(chunk: Sequence[DuePeriod], error: Exception, *, run: _Run) -> None:
    code = Customer.objects.values_list("code", flat=True).get(pk=chunk[0].customer_id)
    reason = error.message if isinstance(error, DomainError) else f"{type(error).__name__}: {error}"
    run.report.failed += [CloseFailure(code, each.period, reason) for each in chunk]


def _close_together(chunk: Sequence[DuePeriod], *, run: _Run) -> None:
    """One transaction: every period of the chunk becomes a draft, or none."""
    with transaction.atomic():
        _lock_customers(chunk)
        open_now, cycles = due.recheck(chunk)  # another close may have drafted some while this one waited
        bills, failures = assemble.open_bills(open_now, cycles=cycles, at=run.at)
        assemble.fill_bills(bills, watermark=run.watermark, at=run.at)
        reconcile.tie_out_bills(bills, watermark=run.watermark)
        worth = [bill for bill in bills if bill.lines or bill.strays]
        bulk.insert_rows([bill.cycle for bill in worth if bill.cycle.pk is None])
        sheets = draft.draft_invoices(worth, seller=run.seller, watermark=run.watermark, actor=run.actor, at=run.at)
    _count(run.report, sheets=sheets, bills=worth)
    run.report.nothing_to_bill += len(bills) - len(worth)
    run.report.failed += failures


def _count(report: CloseReport, *, sheets: Sequence[draft.Sheet], bills: Sequence[Bill]) -> None:
    report.drafted += len(sheets)
    report.held += sum(bool(sheet.findings) for sheet in sheets)
    report.breaks += sum(len(sheet.findings) for sheet in sheets)
    report.adjusted += sum(line.adjusts is not None for bill in bills for line in bill.lines)
    report.invoice_ids += [sheet.invoice.pk for sheet in sheets]


def _lock_customers(chunk: Sequence[DuePeriod]) -> None:
    """One close at a time per customer; always in ascending order, so that two closes never wait for each other."""
    keys = sorted({each.customer_id % 2**31 for each in chunk})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, key) FROM unnest(%s::int[]) AS key", [int(LockClass.CYCLE), keys]
        )
