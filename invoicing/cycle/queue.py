"""The review queue of finance: what waits, against what was billed before, the unusual first."""

import hashlib
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import DateTimeField, ExpressionWrapper, F

from core import personal_keys, sealing
from invoicing.cycle.models import BillingCycle
from invoicing.cycle.rules import changes

WAITING = ("draft", "held", "approved")
PAGE_ROWS = 100
ORDERS = {
    "unusual": "Unusual first",
    "change": "Largest change in money",
    "total": "Largest total",
    "oldest": "Waiting longest",
    "customer": "Customer",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which invoices to list; an empty filter lets everything through. Amounts are totals, in any currency."""

    statuses: tuple[str, ...] = WAITING
    cause: str = ""
    customer: str = ""
    program: str = ""
    currency: str = ""
    kind: str = ""
    least: Decimal | None = None
    most: Decimal | None = None
    ended_from: datetime | None = None
    ended_before: datetime | None = None
    order: str = "unusual"


@dataclass(frozen=True, slots=True)
class Listed:
    """Invoices by id, each with the hash of its figures, and one hash over all of them."""

    figures: tuple[tuple[int, str], ...]
    list_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One invoice of the queue.

    `before_total` is what the subscription's latest earlier period came to, `interim_total` what interim invoices
    billed of this one; both with tax.
    """

    id: int
    number: str
    status: str
    kind: str
    document_type: str
    customer: str
    program: str
    zone: str
    currency: str
    period_start: datetime
    period_end: datetime
    total: Decimal
    interim_total: Decimal
    content_hash: str
    drafted_at: datetime
    before_id: int | None
    before_total: Decimal | None
    hold_cause: str
    hold_reason: str
    breaks: int
    corrections: int
    comments: int
    approvals: int
    approvals_needed: int
    is_approved_by_me: bool

    @property
    def change(self) -> Decimal | None:
        return None if self.before_total is None else self.total + self.interim_total - self.before_total

    @property
    def percent(self) -> Decimal | None:
        """The change in percent of what was billed before; None where nothing was."""
        before = self.before_total or Decimal(0)
        return changes.percent_of_change(before=before, after=self.total + self.interim_total)


@dataclass(frozen=True, slots=True)
class CurrencySum:
    """How many of the wanted invoices are in one currency, and what they come to."""

    currency: str
    count: int
    total: Decimal


# Two statements share these: one page of rows, and the sums over all of them.
_FROM = """
    FROM cycle_invoice invoice
    JOIN accounts_customer customer ON customer.id = invoice.customer_id
    LEFT JOIN cycle_hold hold ON hold.invoice_id = invoice.id AND hold.released_at IS NULL
    LEFT JOIN cycle_holdreason listed ON listed.id = hold.listed_reason_id
"""
_WHERE = """
    WHERE invoice.status = ANY(%(statuses)s)
      AND (%(customer)s = '' OR strpos(lower(customer.code), lower(%(customer)s)) > 0
           OR cardinality(%(marks)s::varchar[]) > 0 AND customer.name_marks @> %(marks)s::varchar[])
      AND (%(program)s = '' OR customer.program = %(program)s)
      AND (%(currency)s = '' OR invoice.currency = %(currency)s)
      AND (%(kind)s = '' OR invoice.kind = %(kind)s OR invoice.document_type = %(kind)s)
      AND (%(least)s::numeric IS NULL OR invoice.total >= %(least)s)
      AND (%(most)s::numeric IS NULL OR invoice.total <= %(most)s)
      AND (%(ended_from)s::timestamptz IS NULL OR invoice.period_end - interval '1 day' >= %(ended_from)s)
      AND (%(ended_before)s::timestamptz IS NULL OR invoice.period_end - interval '1 day' < %(ended_before)s)
      AND (%(cause)s = '' OR hold.cause = %(cause)s OR listed.code = %(cause)s)
"""
# Periods are compared as a whole, with what interim invoices billed of them before their end.
# The latest earlier period of the same subscription; its index finds it without a walk.
_BEFORE = """
    JOIN cycle_billingcycle cycle ON cycle.id = invoice.cycle_id
    LEFT JOIN LATERAL (
        SELECT sum(part.total) AS total FROM cycle_invoice part
        WHERE part.cycle_id = invoice.cycle_id AND part.kind = 'interim' AND part.status <> 'discarded'
          AND part.currency = invoice.currency
    ) interim ON invoice.kind = 'cycle'
    LEFT JOIN LATERAL (
        SELECT max(earlier.id) FILTER (WHERE earlier.kind = 'cycle') AS id, sum(earlier.total) AS total
        FROM cycle_billingcycle past JOIN cycle_invoice earlier ON earlier.cycle_id = past.id
        WHERE past.subscription_id = cycle.subscription_id AND past.period_start < cycle.period_start
          AND earlier.kind IN ('cycle', 'interim') AND earlier.status <> 'discarded'
          AND earlier.currency = invoice.currency
        GROUP BY past.period_start ORDER BY past.period_start DESC LIMIT 1
    ) before ON invoice.kind = 'cycle'
"""
# The order is found over everything wanted; what else a row shows is asked for the rows of the page alone.
_ROWS = f"""
WITH compared AS (
    SELECT invoice.*, customer.legal_name AS customer, customer.code AS customer_code, customer.program,
           coalesce(invoice.parties #>> '{{customer,time_zone}}', customer.time_zone) AS zone,
           coalesce(interim.total, 0) AS interim_total, before.id AS before_id, before.total AS before_total,
           coalesce(hold.cause, '') AS hold_cause, coalesce(hold.reason, '') AS hold_reason,
           (SELECT count(*) FROM cycle_break found
            WHERE found.invoice_id = invoice.id AND found.closed_at IS NULL) AS breaks
    {_FROM} {_BEFORE} {_WHERE}
), placed AS (
    SELECT compared.*, row_number() OVER (
        ORDER BY
            CASE WHEN %(order)s <> 'unusual' THEN 0 WHEN breaks > 0 THEN 0 WHEN status = 'held' THEN 1
                 WHEN status = 'draft' THEN 2 ELSE 3 END,
            CASE WHEN %(order)s = 'unusual'
                 THEN abs(total + interim_total - before_total) / nullif(abs(before_total), 0)
                 WHEN %(order)s = 'change' THEN abs(total + interim_total - coalesce(before_total, 0))
                 WHEN %(order)s = 'total' THEN abs(total) END DESC NULLS LAST,
            CASE %(order)s WHEN 'oldest' THEN drafted_at END,
            CASE %(order)s WHEN 'customer' THEN customer_code END,
            abs(total) DESC, id
    ) AS place
    FROM compared ORDER BY place LIMIT %(rows)s OFFSET %(skip)s
)
SELECT placed.id, coalesce(number, '') AS number, placed.status, kind, document_type, customer, placed.program, zone,
       currency, period_start, period_end, total, interim_total, placed.content_hash, drafted_at, before_id,
       before_total, hold_cause, hold_reason, breaks,
       (SELECT count(*) FROM cycle_invoiceline line
        WHERE line.invoice_id = placed.id AND line.adjusts_id IS NOT NULL) AS corrections,
       (SELECT count(*) FROM cycle_invoicecomment said WHERE said.invoice_id = placed.id) AS comments,
       (SELECT count(*) FROM cycle_invoiceapproval approval
        WHERE approval.invoice_id = placed.id AND approval.revision = placed.revision
              - CASE placed.status WHEN 'approved' THEN 1 WHEN 'final' THEN 2 ELSE 0 END) AS approvals,
       CASE WHEN abs(total) > (
           policy.terms #>> ARRAY['approval', 'second_person_above', currency])::numeric
           THEN 2 ELSE 1 END AS approvals_needed,
       EXISTS (SELECT 1 FROM cycle_invoiceapproval mine
               WHERE mine.invoice_id = placed.id AND mine.revision = placed.revision
                 AND mine.person_id = %(person)s) AS is_approved_by_me
FROM placed LEFT JOIN policy_triggerpolicy policy ON policy.id = placed.policy_id
ORDER BY place
"""  # noqa: S608  made of the constants above
_LIST = f"SELECT invoice.id, invoice.content_hash {_FROM} {_WHERE} ORDER BY invoice.id"
_SUMS = f"SELECT invoice.currency, count(*), sum(invoice.total) {_FROM} {_WHERE} GROUP BY 1 ORDER BY 1"


def months() -> list[date]:
    """The months in which closed periods ended, by the day before the end in UTC; the latest first."""
    last_day = ExpressionWrapper(F("period_end") - timedelta(days=1), output_field=DateTimeField())
    return list(BillingCycle.objects.annotate(last_day=last_day).dates("last_day", "month", order="DESC"))


def find_rows(wanted: Wanted, *, person_id: int, page: int = 1, rows: int = PAGE_ROWS) -> list[Row]:
    """One page of the queue, the first being 1, in one statement; `person_id` says whose own approvals to mark."""
    given = {**_parameters(wanted), "person": person_id, "rows": rows, "skip": (page - 1) * rows}
    return [Row(**personal_keys.open_within(named)) for named in _ask(_ROWS, given)]


def find_list(wanted: Wanted) -> Listed:
    """Everything wanted with its figures, whatever page it stands on."""
    figures = tuple((int(row["id"]), str(row["content_hash"])) for row in _ask(_LIST, _parameters(wanted)))
    text = ",".join(f"{invoice_id}:{content_hash}" for invoice_id, content_hash in figures)
    return Listed(figures, hashlib.sha256(text.encode()).hexdigest())


def sum_up(wanted: Wanted) -> list[CurrencySum]:
    """Count and total of everything wanted, by currency."""
    return [CurrencySum(*named.values()) for named in _ask(_SUMS, _parameters(wanted))]


def _parameters(wanted: Wanted) -> dict[str, Any]:
    marks = [sealing.mark_of(word) for word in sealing.words_of(wanted.customer)]
    return {**asdict(wanted), "statuses": list(wanted.statuses), "marks": marks}


def _ask(statement: str, given: dict[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
