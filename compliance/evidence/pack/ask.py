"""Ask for a pack: small ones are made at once, large ones by a job that says how far it has come."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from compliance.evidence.models import EvidencePack, EvidenceRequest
from compliance.evidence.pack import gather as gathering
from compliance.evidence.pack import make
from core import work
from core.errors import DomainError, NotFoundError
from core.models import Job
from invoicing.cycle.models import Invoice, InvoiceLine

AT_ONCE_EVENTS_MAX = 20_000  # what a call can wait for
JOB = "make_evidence_pack"


class PackFailedError(DomainError):
    """Making the pack was tried as often as it may be."""

    code = "evidence_failed"
    http_status = 503


@dataclass(frozen=True, slots=True)
class Answer:
    """A pack, or the request under which it is being made."""

    pack: EvidencePack | None
    request: EvidenceRequest | None = None


def find_line(invoice: Invoice, *, position: int | None) -> InvoiceLine | None:
    """The line at this position; None for the whole invoice; NotFoundError where there is none."""
    if position is None:
        return None
    line = invoice.lines.filter(position=position).first()
    if line is None:
        raise NotFoundError(f"{invoice} has no line {position}.")
    return line


def ask_for_pack(*, invoice: Invoice, line: InvoiceLine | None, actor: Any, at: datetime) -> Answer:
    """The pack as things stand, at once if it is there or small; else the request, whose job is queued."""
    gathered = gathering.gather(invoice, line=line)
    found = EvidencePack.objects.filter(invoice=invoice, line=line, facts_sha256=gathered.facts_sha256).first()
    if found is None and gathered.event_count <= AT_ONCE_EVENTS_MAX:
        found = make.make_pack(invoice=invoice, line=line, actor=actor, at=at)
    if found is not None:
        return Answer(found)
    return Answer(None, _queue(invoice, line, events=gathered.event_count, actor=actor, at=at))


def _queue(invoice: Invoice, line: InvoiceLine | None, *, events: int, actor: Any, at: datetime) -> EvidenceRequest:
    open_one = EvidenceRequest.objects.filter(invoice=invoice, line=line, pack=None)
    request = open_one.first()
    if request is not None:
        _refuse_if_given_up(request)
        return request
    try:
        with transaction.atomic():
            request = EvidenceRequest.objects.create(
                invoice=invoice, line=line, asked_by=actor, asked_at=at, events_total=events
            )
            work.enqueue(kind=JOB, key=str(request.pk), arguments={"request_id": request.pk}, at=at)
    except IntegrityError:  # somebody else asked at the same moment
        return open_one.get()
    return request


def _refuse_if_given_up(request: EvidenceRequest) -> None:
    job = Job.objects.filter(kind=JOB, key=str(request.pk)).order_by("-pk").first()
    if job is not None and job.state == Job.State.DEAD:
        reason = job.last_error.splitlines()[0][:300] if job.last_error else "no reason is known"
        raise PackFailedError(f"Making the pack was given up ({reason}). Repair what it names and run the job again.")


def run_request(*, request_id: int, at: datetime) -> None:
    """Make what was asked for, noting the progress; run again, it finds the pack that is there."""
    request = EvidenceRequest.objects.select_related("invoice", "line", "asked_by").get(pk=request_id)
    if request.pack_id is not None:
        return

    def note(events: int) -> None:
        EvidenceRequest.objects.filter(pk=request_id).update(events_done=events)

    request.pack = make.make_pack(
        invoice=request.invoice, line=request.line, actor=request.asked_by, at=at, progress=note
    )
    request.events_done = request.pack.event_count
    request.save(update_fields=["pack", "events_done"])
