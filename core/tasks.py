"""What the queue runs: a round over the due jobs."""

import time

from django.utils import timezone

from core import heartbeats, recurring, work

ROUND_SECONDS_MAX = 60  # then the next round begins, so that the queue's own time limit is never near


def drain() -> None:
    """Run due jobs until there are none or the round is over; called by wake-ups and by the supervisor's pulse."""
    heartbeats.beat()
    recurring.enqueue_due(at=timezone.now())
    ends = time.monotonic() + ROUND_SECONDS_MAX
    while time.monotonic() < ends and work.run_next_job(at=timezone.now()):
        heartbeats.beat()
