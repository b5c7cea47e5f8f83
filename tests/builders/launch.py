"""A launch check over whatever a test has made, and its boxes by name."""

from datetime import datetime, timedelta
from typing import Any

from compliance.launch import check, standing
from compliance.launch.models import BoxResult, LaunchCheck, RestoreDrill
from compliance.launch.standing import BoxState
from core import audit
from tests.builders.billing import CLOSING

CHECKED = CLOSING + timedelta(days=1)  # 3 November 2026, 08:00


def run_check(*, at: datetime = CHECKED) -> LaunchCheck:
    return check.go_on(run_id=check.begin_run(actor=None, at=at).pk, at=at)


def results(run: LaunchCheck) -> dict[str, BoxResult]:
    """By box; of boxes that several programs have, the one of the usual program."""
    return {one.box: one for one in run.results.all() if one.program in ("", "standard")}


def states(*, at: datetime = CHECKED) -> dict[str, BoxState]:
    return {str(one.box): one for one in standing.of_program("standard", at=at)}


def facts(result: BoxResult) -> dict[str, Any]:
    return dict(result.proof["facts"])


def rows(result: BoxResult) -> Any:
    return result.proof["table"]["rows"]


def keep_drill(*, at: datetime = CLOSING, flaws: tuple[str, ...] = ()) -> RestoreDrill:
    """As `restore_drill` keeps it."""
    facts = {"file": "backup.dump", "sha256": "ab" * 32, "flaws": list(flaws), "made_by": "root"}
    entry = audit.append_entry(action="launch.restore_drill", subject="backup:abab", actor=None, facts=facts, at=at)
    return RestoreDrill.objects.create(
        made_by="root",
        began_at=at - timedelta(seconds=5),
        ended_at=at,
        is_fresh=True,
        file_name="backup.dump",
        size=10,
        sha256="ab" * 32,
        figures={"cycle_invoice": [1, 1]},
        invariants=[{"number": 43, "name": "the audit chain verifies", "count": 0, "offenders": []}],
        flaws=list(flaws),
        audit_entry=entry,
    )
