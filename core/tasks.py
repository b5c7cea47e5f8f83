"""What workers run: a round over the due jobs."""

from django.utils import timezone

from core import heartbeats, recurring, stop_sign, work

ROUND_SECONDS_MAX = 60  # then the next round begins, so that the queue's own time limit is never near


def drain() -> None:
    """Run due jobs until there are none or the round is over; called by wake-ups and by the supervisor's pulse."""
    heartbeats.beat()
    recurring.enqueue_due(at=timezone.now())
    is_over, long_kinds = stop_sign.over_after(ROUND_SECONDS_MAX), work.long_kinds()
    while not is_over() and work.run_next_job(at=timezone.now(), but=long_kinds):
        heartbeats.beat()


def take_long_work(kind: str) -> None:
    """Run due jobs of one long kind until there are none or the round is over; in a process of its own."""
    is_over = stop_sign.over_after(ROUND_SECONDS_MAX)
    while not is_over() and work.run_next_job(at=timezone.now(), only=kind):
        pass
