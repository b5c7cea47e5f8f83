"""Ask for a drill, and keep what came of it; the rehearsal itself runs outside this database."""

from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import roles
from accounts.roles import Role
from compliance.disputes.models import DisputeDrill
from core import work

JOB = "dispute_drill"
STARTERS = (Role.OPS, Role.ENGINEERING)


@transaction.atomic
def ask_drill(*, actor: Any, at: datetime) -> DisputeDrill:
    """Queue a drill."""
    roles.require_role(actor, *STARTERS, to="run a dispute drill")
    drill = start_drill(actor=actor, at=at)
    work.enqueue(kind=JOB, key=str(drill.pk), arguments={"drill_id": drill.pk}, at=at)
    return drill


def start_drill(*, actor: Any, at: datetime) -> DisputeDrill:
    """Note that one begins."""
    return DisputeDrill.objects.create(started_by=actor, started_at=at)


def keep_result(drill_id: int, *, report: dict[str, Any] | None, error: str = "", at: datetime) -> DisputeDrill:
    """What came of it: the report, or why there is none."""
    drill = DisputeDrill.objects.get(pk=drill_id)
    drill.finished_at, drill.error = at, error
    drill.report = report or {}
    drill.is_passed = bool(report and report["is_passed"])
    drill.save(update_fields=["finished_at", "error", "report", "is_passed"])
    return drill
