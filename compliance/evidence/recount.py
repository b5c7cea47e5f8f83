"""Count all events behind a line again, by a job, and keep what was found."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from compliance.evidence import trace
from compliance.evidence.models import LineRecount
from core import work
from invoicing.cycle.models import InvoiceLine

JOB = "recount_line"


def ask_recount(*, line: InvoiceLine, actor: Any, at: datetime) -> LineRecount:
    """Queue a recount of the line; the one that is waiting, where there is one."""
    waiting = LineRecount.objects.filter(line=line, finished_at=None)
    if found := waiting.first():
        return found
    try:
        with transaction.atomic():
            asked = LineRecount.objects.create(line=line, asked_by=actor, asked_at=at)
            work.enqueue(kind=JOB, key=str(asked.pk), arguments={"recount_id": asked.pk}, at=at)
    except IntegrityError:  # somebody else asked at the same moment
        return waiting.get()
    return asked


def run_recount(*, recount_id: int, at: datetime) -> None:
    """Walk the line thoroughly and keep each step; run again, it leaves what was found."""
    asked = LineRecount.objects.get(pk=recount_id)
    if asked.finished_at is not None:
        return
    walked = trace.trace_line(line_id=asked.line_id)
    asked.checks = [{"step": one.step, "claimed": one.claimed, "found": one.found} for one in walked.checks]
    asked.is_equal, asked.finished_at = walked.is_equal, at
    asked.save(update_fields=["checks", "is_equal", "finished_at"])


def is_running(line: InvoiceLine) -> bool:
    return LineRecount.objects.filter(line=line, finished_at=None).exists()


def latest(line: InvoiceLine) -> LineRecount | None:
    """The last recount that ended; None where there was none."""
    return LineRecount.objects.filter(line=line).exclude(finished_at=None).order_by("-pk").first()
