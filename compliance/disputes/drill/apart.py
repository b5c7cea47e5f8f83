"""Runs a drill in a database of its own beside the live one, in a process of its own; nothing live is touched."""

import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings

from compliance.disputes import drills, policies
from compliance.disputes.models import DisputeDrill
from core import scratch
from core.errors import DomainError
from invoicing.replay import program_code

PURPOSE = "drill"
STATE_LENGTH = 32
WAIT_SECONDS = 600
WORDS_MAX = 1500


class DrillBrokenError(DomainError):
    """The drill did not come to its end."""

    code = "drill_broken"


def run_drill(*, drill_id: int, now: Any) -> DisputeDrill:
    """Run it and keep what came of it, or why nothing did; run again, it leaves what is kept."""
    drill = DisputeDrill.objects.get(pk=drill_id)
    if drill.finished_at is not None:
        return drill
    try:
        report = rehearse_apart()
    except DomainError as error:
        return drills.keep_result(drill_id, report=None, error=error.message, at=now())
    return drills.keep_result(drill_id, report=report, at=now())


def rehearse_apart() -> dict[str, Any]:
    """The report of a rehearsal in a fresh database, which is dropped; DrillBrokenError where there is none."""
    scratch.drop_forsaken(purpose=PURPOSE)
    template = scratch.find_template(state=program_code.hash_migrations()[:STATE_LENGTH])
    command = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "dispute_drill_in_scratch"]
    with scratch.scratch_database(template=template, purpose=PURPOSE) as environment:
        try:
            done = subprocess.run(
                command,
                input=orjson.dumps(asdict(policies.current_policy().terms)),
                capture_output=True,
                env=environment,
                cwd=settings.BASE_DIR,
                check=False,
                timeout=WAIT_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise DrillBrokenError(f"The drill took longer than {WAIT_SECONDS} s and was ended.") from error
    if done.returncode != 0 or not done.stdout:
        words = done.stderr.decode(errors="replace")[-WORDS_MAX:].strip()
        raise DrillBrokenError(f"The drill ended without a report. {words}")
    report: dict[str, Any] = orjson.loads(done.stdout.splitlines()[-1])
    return report
