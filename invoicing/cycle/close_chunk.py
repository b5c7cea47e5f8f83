"""Close a chunk of periods in one transaction; what cannot be closed is halved until one customer stands alone."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import structlog
from django.contrib.auth.models import AbstractBaseUser
from django.db import InterfaceError, OperationalError, connection, transaction

from accounts.models import Customer, Seller
from core import bulk, collector, deciding
from core.deciding import Kind
from core.errors import DomainError
from core.locks import LockClass
from invoicing.cycle import assemble, close_runs, draft, due, park, reconcile, undisturbed, unusual
from invoicing.cycle.bills import Bill, CloseFailure
from invoicing.cycle.close_runs import Tally
from invoicing.cycle.models import CloseRun
from invoicing.cycle.rules import parking
from invoicing.pricing.queries import DuePeriod
from metering.models import Watermark

# Beside others a chunk gives way: whom it waits for may wait for it to have its turn.
LOCK_TIMEOUT = "2s"
# A foreign key is looked up when its chunk commits, unless somebody asks before.
CHECK_NOW = "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED"

log = structlog.get_logger(__name__)


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

    def add(self, part: "CloseReport") -> None:
        """Take in what was done further on."""
        self.drafted += part.drafted
        self.held += part.held
        self.breaks += part.breaks
        self.adjusted += part.adjusted
        self.nothing_to_bill += part.nothing_to_bill
        self.failed += part.failed
        self.invoice_ids += part.invoice_ids


@dataclass(frozen=True, slots=True)
class Run:
    """What all chunks of one close share."""

    row: CloseRun
    seller: Seller
    watermark: Watermark
    actor: AbstractBaseUser | None
    at: datetime


@dataclass(frozen=True, slots=True)
class _Counted:
    """A chunk that was counted, rated and reconciled, in a transaction that is still open."""

    chunk: Sequence[DuePeriod]
    agreed_up_to: int
    bills: list[Bill]
    failures: list[CloseFailure]

    @property
    def worth_drafting(self) -> list[Bill]:
        return [bill for bill in self.bills if bill.lines or bill.strays]


@dataclass(frozen=True, slots=True)
class BesideOthers:
    """How a chunk is closed while others are: counted before its turn, drafted in its turn (`core.in_turn`).

    Customers of two chunks are never the same, so neither sees what the other has not committed.
    """

    run: Run

    @contextmanager
    def ahead(self, chunk: Sequence[DuePeriod]) -> Iterator[Callable[[], CloseReport] | None]:
        """Count, rate and reconcile it; None where that fails, which it will again and be dealt with alone."""
        try:
            with ExitStack() as opening:
                opening.enter_context(_deciding_together())
                counted = self._count_ahead(chunk)
                opened = opening.pop_all()
        except Exception:  # noqa: BLE001  whatever it is, it is met again
            yield None
            return
        with opened:
            yield partial(_draft, counted, run=self.run)

    def _count_ahead(self, chunk: Sequence[DuePeriod]) -> "_Counted":
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
            counted = _count(chunk, run=self.run)
            cursor.execute(CHECK_NOW)
        return counted

    def alone(self, chunk: Sequence[DuePeriod]) -> CloseReport:
        """Close it as if there were no others."""
        return close_or_split(chunk, run=self.run)


def close_or_split(chunk: Sequence[DuePeriod], *, run: Run) -> CloseReport:
    """Close the chunk; if something in it cannot be closed, halve it until the customer stands alone."""
    try:
        return undisturbed.until_undisturbed(partial(_close_together, chunk, run=run))
    except (OperationalError, InterfaceError):
        raise  # the database itself: nobody else would fare better
    except Exception as error:  # whatever one customer's data does must not stop the others
        customers = sorted({each.customer_id for each in chunk})
        if len(customers) == 1:
            if not isinstance(error, DomainError):
                log.exception("close_failed", customer_id=customers[0])
            return _report_failure(chunk, error, run=run)
        middle = customers[len(customers) // 2]
        report = close_or_split([each for each in chunk if each.customer_id < middle], run=run)
        report.add(close_or_split([each for each in chunk if each.customer_id >= middle], run=run))
        return report


def _close_together(chunk: Sequence[DuePeriod], *, run: Run) -> CloseReport:
    with _deciding_together():
        return _draft(_count(chunk, run=run), run=run)


@contextmanager
def _deciding_together() -> Iterator[None]:
    """One transaction: every period of the chunk becomes a draft, or none."""
    with collector.paused(), deciding.deciding(Kind.INVOICE):
        yield


def _count(chunk: Sequence[DuePeriod], *, run: Run) -> _Counted:
    lock_customers(each.customer_id for each in chunk)
    mark = undisturbed.mark()
    open_now, cycles = due.recheck(chunk)  # another close may have drafted some while this one waited
    bills, failures = assemble.open_bills(open_now, cycles=cycles, at=run.at)
    assemble.fill_bills(bills, watermark=run.watermark, at=run.at)
    reconcile.tie_out_bills(bills, watermark=run.watermark)
    unusual.find_unusual(bills)
    counted = _Counted(chunk, mark, bills, failures)
    bulk.insert_rows([bill.cycle for bill in counted.worth_drafting if bill.cycle.pk is None])
    return counted


def _draft(counted: _Counted, *, run: Run) -> CloseReport:
    worth, chunk = counted.worth_drafting, counted.chunk
    sheets = draft.draft_invoices(
        worth,
        seller=run.seller,
        watermark=run.watermark,
        agreed_up_to=counted.agreed_up_to,
        actor=run.actor,
        at=run.at,
    )
    tally = _tally(sheets, bills=worth)
    tally.reached, tally.done = chunk[-1].customer_id, len(chunk)
    tally.failed, tally.nothing_to_bill = len(counted.failures), len(counted.bills) - len(worth)
    _note(tally, tried={each.customer_id for each in chunk}, failures=counted.failures, run=run)
    return _report(tally, sheets=sheets, failures=counted.failures)


@transaction.atomic
def _report_failure(chunk: Sequence[DuePeriod], error: Exception, *, run: Run) -> CloseReport:
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
    return CloseReport(failed=failures)


def _note(tally: Tally, *, tried: set[int], failures: Sequence[CloseFailure], run: Run) -> None:
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


def _report(tally: Tally, *, sheets: Sequence[draft.Sheet], failures: Sequence[CloseFailure]) -> CloseReport:
    return CloseReport(
        drafted=tally.drafted,
        held=tally.held,
        breaks=tally.breaks,
        adjusted=tally.adjusted,
        nothing_to_bill=tally.nothing_to_bill,
        failed=list(failures),
        invoice_ids=[sheet.invoice.pk for sheet in sheets],
    )


def lock_customers(customer_ids: Iterable[int]) -> None:
    """One close at a time per customer; always in ascending order, so that two closes never wait for each other."""
    keys = sorted({customer_id % 2**31 for customer_id in customer_ids})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(%s, key) FROM unnest(%s::int[]) AS key", [int(LockClass.CYCLE), keys]
        )
