"""Background work of the evidence: packs, recounts of very long lines, heads of the audit chain put outside."""

from datetime import timedelta

from django.utils import timezone

from compliance.evidence import recount
from compliance.evidence.pack import ask
from core import anchors, recurring, work


@work.handles(ask.JOB, attempts_max=3)
def make_evidence_pack(*, request_id: int) -> None:
    """Make the pack that somebody asked for."""
    ask.run_request(request_id=request_id, at=timezone.now())


@work.handles(recount.JOB, attempts_max=3)
def recount_line(*, recount_id: int) -> None:
    """Count the events behind a line again."""
    recount.run_recount(recount_id=recount_id, at=timezone.now())


@recurring.every(timedelta(hours=1), kind="anchor_audit_chain")
def anchor_audit_chain() -> None:
    """Sign how far the chain reaches, and put that into every configured place."""
    anchors.anchor_chain(at=timezone.now())
