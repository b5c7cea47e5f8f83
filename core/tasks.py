"""What the queue runs: a round over the due jobs."""

from django.utils import timezone

from core import heartbeats, recurring, stop_sign, work


def drain() -> None:
    """Run due jobs until there are none or the round is over; called by wake-ups and by the supervisor's pulse."""
    heartbeats.beat()
    recurring.enqueue_due(at=timezone.now())
    is_over, long_kinds = stop_sign.over_after(work.ROUND_SECONDS_MAX), work.long_kinds()
    while not is_over() and work.run_next_job(at=timezone.now(), but=long_kinds):
        heartbeats.beat()
