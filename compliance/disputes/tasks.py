"""Background work of disputes: evidence, letters, what is overdue, and corrections that were issued meanwhile."""

from datetime import timedelta

from django.utils import timezone

from compliance.disputes import drills, fixing, letter, overdue, rebuild
from compliance.disputes.drill import apart
from core import recurring, work


@work.handles(rebuild.JOB, attempts_max=3)
def rebuild_dispute_evidence(*, evidence_id: int) -> None:
    """Walk the contested lines again, and put the dispute on its path."""
    rebuild.run(evidence_id=evidence_id, at=timezone.now())


@work.handles(letter.JOB, attempts_max=3)
def write_dispute_letter(*, dispute_id: int) -> None:
    """Write the letter about a decided dispute."""
    letter.write_letter(dispute_id=dispute_id, at=timezone.now())


@recurring.every(timedelta(minutes=5), kind="watch_disputes")
def watch_disputes() -> None:
    """Close what was corrected, then tell owners of what is overdue."""
    now = timezone.now()
    fixing.close_corrected(at=now)
    overdue.tell_overdue(at=now)


@work.handles(drills.JOB, attempts_max=2)
def dispute_drill(*, drill_id: int) -> None:
    """Rehearse both paths in a database of its own."""
    apart.run_drill(drill_id=drill_id, now=timezone.now)
