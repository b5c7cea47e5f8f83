"""Trace every line of the last close, document by document, resumable, and keep what differs."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from compliance.evidence import trace
from compliance.evidence.rules.proof import Check
from compliance.evidence.trace import InvoiceTrace
from compliance.launch import last_close
from compliance.launch.models import CloseWalk, LaunchCheck
from core import canonical

DIFFERING_MAX = 1000  # of the steps that are kept; one is enough to leave the box open
Progress = Callable[[int, int], None]


def find_or_begin(run: LaunchCheck) -> CloseWalk | None:
    """The walk of this run; None where there is nothing to walk."""
    known = CloseWalk.objects.filter(run=run).first()
    closed = last_close.find_last_close()
    if known is not None or closed is None:
        return known
    documents = closed.documents()
    return CloseWalk.objects.create(
        run=run,
        period_from=closed.ended_after,
        period_to=closed.ended_by,
        last_invoice=documents.aggregate(last=Max("pk"))["last"],
        invoices_total=documents.count(),
    )


def go_on(walk: CloseWalk, *, at: datetime, is_over: Callable[[], bool], progress: Progress) -> bool:
    """Walk on until everything is walked or the time is over; whether it is finished."""
    while walk.finished_at is None and not is_over():
        _step(walk, at=at)
        progress(walk.invoices_done, walk.invoices_total)
    return walk.finished_at is not None


@transaction.atomic
def _step(walk: CloseWalk, *, at: datetime) -> None:
    """One document, and in the same transaction how far that is."""
    fresh = CloseWalk.objects.select_for_update().get(pk=walk.pk)
    if fresh.finished_at is None:
        documents = last_close.live_documents(ended_after=fresh.period_from, ended_by=fresh.period_to)
        waiting = documents.filter(pk__gt=fresh.reached_invoice, pk__lte=fresh.last_invoice).order_by("pk")
        next_id = waiting.values_list("pk", flat=True).first()
        if next_id is None:
            fresh.finished_at = at
            fresh.digest = fresh.digest or hashlib.sha256(b"").hexdigest()
        else:
            _take(fresh, trace.trace_invoice(invoice_id=next_id))
        fresh.save()
    walk.refresh_from_db()


def _take(walk: CloseWalk, walked: InvoiceTrace) -> None:
    steps = list(_steps(walked))
    known = {"before": walk.digest, "invoice": walked.invoice.pk, "steps": steps}
    walk.digest = hashlib.sha256(canonical.canonical_bytes(known)).hexdigest()
    differing = [step for step in steps if step[3] != step[4]]
    walk.differing = [*walk.differing, *differing][:DIFFERING_MAX]
    walk.lines_done += len(walked.traces)
    walk.invoices_done += 1
    walk.reached_invoice = walked.invoice.pk


def _steps(walked: InvoiceTrace) -> Iterator[list[str]]:
    """Every step of every line and of the totals: document, line, step, what the books claim, what was found."""
    name = str(walked.invoice)
    for traced in walked.traces:
        yield from (_step_row(name, str(traced.line.position), check) for check in traced.checks)
    yield from (_step_row(name, "", check) for check in walked.checks)


def _step_row(name: str, line: str, check: Check) -> list[str]:
    return [name, line, check.step, check.claimed, check.found]
