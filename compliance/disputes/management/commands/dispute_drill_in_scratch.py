"""`dispute_drill_in_scratch`: rehearses in the scratch database of its environment, as `drill/apart.py` starts it."""

import sys
from typing import Any

import orjson
from django.core.management.base import BaseCommand
from django.utils import timezone

from compliance.disputes.drill import rehearse


class Command(BaseCommand):
    """Not for people: it works in no other database than one that was made for a drill.

    On its input the terms of the live dispute policy; on its output the report, both as JSON.
    """

    help = "Internal: rehearses disputes in a scratch database."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        policy = orjson.loads(sys.stdin.buffer.read())
        report = rehearse.rehearse(policy=policy, clock=timezone.now)
        sys.stdout.buffer.write(orjson.dumps(report) + b"\n")
        sys.stdout.buffer.flush()
