"""Close periods: count, rate, reconcile and draft everything that is over and not drafted yet."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import groupby

from django.contrib.auth.models import AbstractBaseUser
from django.db import connection

from accounts.models import Customer, Seller
from core import in_turn, knowing
from core.errors import DomainError
from invoicing.cycle import close_chunk, close_runs, due, park
from invoicing.cycle.close_chunk import CloseReport, Run
from invoicing.cycle.models import CloseRun
from invoicing.policy import begin
from invoicing.pricing.queries import DuePeriod
from metering import queries as metering_queries
from metering import watermark as watermarks

CHUNK_PERIODS = 1000  # also the most advisory locks that a chunk of a close holds at once
CHUNKS_BESIDE_MIN = 3  # fewer are not worth the processes
Progress = Callable[[int, int], None]


class SellerMissingError(DomainError):
    """Nobody is set up in whose name to bill."""

    code = "seller_missing"


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
        run = Run(row, seller, mark, actor, at)
        if not _close_all(periods, run=run, report=report, progress=progress, is_over=is_over):
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
    periods: Sequence[DuePeriod],
    *,
    run: Run,
    report: CloseReport,
    progress: Progress | None,
    is_over: Callable[[], bool],
) -> bool:
    """False if it stopped before the last chunk."""
    done = 0
    chunks = _chunks(periods)
    wanted = (
        chunk for number, chunk in enumerate(chunks) if not number or not is_over()
    )  # a slice is a chunk at least
    for chunk, part in _close_each(wanted, count=len(chunks), run=run):
        report.add(part)
        done += len(chunk)
        if progress is not None:
            progress(done, len(periods))
    return done == len(periods)


def _close_each(
    chunks: Iterator[Sequence[DuePeriod]], *, count: int, run: Run
) -> Iterator[tuple[Sequence[DuePeriod], CloseReport]]:
    """Side by side where that is worth it, and where others can see what is there to close."""
    if count < CHUNKS_BESIDE_MIN or connection.in_atomic_block:
        return ((chunk, close_chunk.close_or_split(chunk, run=run)) for chunk in chunks)
    return in_turn.run(chunks, work=close_chunk.BesideOthers(run))


def the_seller() -> Seller:
    """The one issuing company; SellerMissingError says what to do where there is none, or more than one."""
    sellers = list(Seller.objects.order_by("pk")[:2])
    if not sellers:
        raise SellerMissingError("There is no seller yet: add one in the back office under Seller.")
    if len(sellers) > 1:
        raise SellerMissingError("There are several issuing companies, and customers name none: keep only one.")
    return sellers[0]


def _chunks(periods: Sequence[DuePeriod]) -> list[list[DuePeriod]]:
    """Whole customers, up to CHUNK_PERIODS periods together."""
    chunks: list[list[DuePeriod]] = []
    for _, own in groupby(periods, key=lambda each: each.customer_id):
        theirs = list(own)
        if not chunks or len(chunks[-1]) + len(theirs) > CHUNK_PERIODS:
            chunks.append([])
        chunks[-1] += theirs
    return chunks
