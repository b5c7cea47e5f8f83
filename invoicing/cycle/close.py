"""Close periods: count, rate, reconcile and draft everything that is over and not drafted yet."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

import structlog
from django.contrib.auth.models import AbstractBaseUser
from django.db import InterfaceError, OperationalError, connection, transaction

from accounts.models import Customer, Seller
from core import bulk, collector, deciding, knowing
from core.deciding import Kind
from core.errors import DomainError
from core.locks import LockClass
from invoicing.cycle import assemble, close_runs, draft, due, park, reconcile, unusual
from invoicing.cycle.bills import Bill, CloseFailure
from invoicing.cycle.close_runs import Tally
from invoicing.cycle.models import CloseRun
from invoicing.cycle.rules import parking
from invoicing.policy import begin
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

    row: CloseRun
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
    parked, and the others go on. A period that is still running may be closed early: usage that arrives for it after
    this close is late, and becomes an adjustment.
    """
    if customer_codes is not None:
        due.require_known(customer_codes)
    left = close_runs.find_unfinished(as_of=as_of, customer_codes=customer_codes)
    report = None if left is None else go_on(left, actor=actor, at=at, progress=progress)
    while report is None:  # nothing was left, or another process took it up in this moment
        row = close_runs.ask_for_run(as_of=as_of, customer_codes=customer_codes, actor=actor, at=at)
        report = go_on(row, actor=actor, at=at, progress=progress)
    return report


def go_on(
    row: CloseRun,
    *,
    actor: AbstractBaseUser | None,
    at: datetime,
    progress: Progress | None = None,
    is_over: Callable[[], bool] = lambda: False,
) -> CloseReport | None:
    """Take up a close where it stands, until it has ended or, between two chunks, `is_over`.

    None if somebody else is at it or it has ended. The report is of this attempt; the row has what all of them did.
    """
    with close_runs.take_up(row) as is_ours:
        if not is_ours:
            return None
        begin.begin_due_policies(at=at)
        with knowing.as_of(close_runs.fix_known(row, at=at)):
            return _attempt(row, actor=actor, at=at, progress=progress, is_over=is_over)


def _attempt(
    row: CloseRun,
    *,
    actor: AbstractBaseUser | None,
    at: datetime,
    progress: Progress | None,
    is_over: Callable[[], bool],
) -> CloseReport:
    seller, report = the_seller(), CloseReport()
    all_open = due.open_periods(as_of=row.as_of, customer_codes=row.customer_codes, at=at)
    periods = [each for each in all_open if each.customer_id > row.reached_customer]
    close_runs.begin_attempt(row, periods=len(periods))
    if periods:
        mark = watermarks.fix_watermark(at=at)
        close_runs.note_watermark(row, mark)
        run = _Run(row, seller, mark, actor, at, report)
        if not _close_all(periods, run=run, progress=progress, is_over=is_over):
            return report
    park.let_go_without_periods(row, tried={each.customer_id for each in all_open}, at=at)
    report.late_waiting = _late_waiting(row.customer_codes)
    close_runs.end_run(row, late_waiting=report.late_waiting)
    return report


def _late_waiting(customer_codes: Sequence[str] | None) -> int:
    customers = Customer.objects.filter(code__in=customer_codes) if customer_codes is not None else None
    ids = None if customers is None else list(customers.values_list("pk", flat=True))
    return len(metering_queries.late_windows(customer_ids=ids))


def _close_all(
    periods: Sequence[DuePeriod], *, run: _Run, progress: Progress | None, is_over: Callable[[], bool]
) -> bool:
    """False if it stopped before the last chunk."""
    done = 0
    for chunk in _chunks(periods):
        if done and is_over():  # a slice is a chunk at least
            return False
        _close_or_split(chunk, run=run)
        done += len(chunk)
        if progress is not None:
            progress(done, len(periods))
    return True


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


@transaction.atomic
def _report_failure(chunk: Sequence[DuePeriod], error: Exception, *, run: _Run) -> None:
    customer_id = chunk[0].customer_id
    name = Customer.objects.values_list("code", flat=True).get(pk=customer_id)
    if isinstance(error, DomainError):
        code, reason = error.code, error.message
    else:
        code, reason = parking.DEFECT, f"{type(error).__name__}: {error}"
    failures = [CloseFailure(each, name, code, reason) for each in chunk]
    _note(
        Tally(reached=customer_id, done=len(chunk), failed=len(chunk)), tried={customer_id}, failures=failures, run=run
    )
    run.report.failed += failures


def _close_together(chunk: Sequence[DuePeriod], *, run: _Run) -> None:
    """One transaction: every period of the chunk becomes a draft, or none."""
    with collector.paused(), deciding.deciding(Kind.INVOICE):
        lock_customers(each.customer_id for each in chunk)
        open_now, cycles = due.recheck(chunk)  # another close may have drafted some while this one waited
        bills, failures = assemble.open_bills(open_now, cycles=cycles, at=run.at)
        assemble.fill_bills(bills, watermark=run.watermark, at=run.at)
        reconcile.tie_out_bills(bills, watermark=run.watermark)
        unusual.find_unusual(bills)
        worth = [bill for bill in bills if bill.lines or bill.strays]
        bulk.insert_rows([bill.cycle for bill in worth if bill.cycle.pk is None])
        sheets = draft.draft_invoices(worth, seller=run.seller, watermark=run.watermark, actor=run.actor, at=run.at)
        tally = _tally(sheets, bills=worth)
        tally.reached, tally.done = chunk[-1].customer_id, len(chunk)
        tally.failed, tally.nothing_to_bill = len(failures), len(bills) - len(worth)
        _note(tally, tried={each.customer_id for each in chunk}, failures=failures, run=run)
    _report(run.report, tally, sheets=sheets, failures=failures)


def _note(tally: Tally, *, tried: set[int], failures: Sequence[CloseFailure], run: _Run) -> None:
    """In the transaction of a chunk: who is parked from now on, who no longer, and how far the close has come."""
    park.note_outcome(tried=tried, failures=failures, run=run.row, at=run.at)
    close_runs.note_step(run.row.pk, tally)


def _tally(sheets: Sequence[draft.Sheet], *, bills: Sequence[Bill]) -> Tally:
    return Tally(
        drafted=len(sheets),
        held=sum(sheet.is_held for sheet in sheets),
        breaks=sum(len(sheet.findings) for sheet in sheets),
        adjusted=sum(line.adjusts is not None for bill in bills for line in bill.lines),
    )


def _report(
    report: CloseReport, tally: Tally, *, sheets: Sequence[draft.Sheet], failures: Sequence[CloseFailure]
) -> None:
    report.drafted += tally.drafted
    report.held += tally.held
    report.breaks += tally.breaks
    report.adjusted += tally.adjusted
    report.nothing_to_bill += tally.nothing_to_bill
    report.failed += failures
    report.invoice_ids += [sheet.invoice.pk for sheet in sheets]


def lock_customers(customer_ids: Iterable[int]) -> None:
    """One close at a time per customer; always in ascending order, so that two closes never wait for each other."""
    keys = sorted({customer_id % 2**31 for customer_id in customer_ids})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, key) FROM unnest(%s::int[]) AS key", [int(LockClass.CYCLE), keys]
        )
