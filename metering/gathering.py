"""Small deliveries that arrive together share one commit, and each is answered when that commit is done.

Nobody waits for company: while one request writes, those that come meanwhile gather, and the next of them writes for
all. What is not plainly good in such a group (known, held back, a correction) goes its own way, as if it came alone.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog
from django.db import connection

from metering import ingest
from metering.ingest import CaptureResult, Parcel
from metering.rules.reading import Delivery

SMALL = 50  # events; larger deliveries have a commit of their own
GATHERED_MAX = 32  # deliveries in one commit


@dataclass(slots=True)
class _Waiting:
    """A delivery in the queue; woken without a result, its own request goes on: to lead, or by itself."""

    parcel: Parcel
    woken: threading.Event = field(default_factory=threading.Event)
    leads: bool = False
    result: CaptureResult | None = None


log = structlog.get_logger(__name__)
_guard = threading.Lock()
_queue: list[_Waiting] = []
_is_led = False


def capture_gathered(deliveries: Sequence[Delivery], *, channel: str, origin: str) -> CaptureResult:
    """Do what `ingest.capture_events` does, at the database's own time; it has committed when this returns."""
    if not 0 < len(deliveries) <= SMALL or connection.in_atomic_block:
        return ingest.capture_events(deliveries, channel=channel, origin=origin, at=None)
    mine = _Waiting(Parcel(deliveries, channel, origin))
    _join(mine)
    if mine.leads:
        _lead(mine)
    if mine.result is None:  # not plainly good, or the group came to nothing
        mine.result = ingest.capture_events(deliveries, channel=channel, origin=origin, at=None)
    return mine.result


def _join(mine: _Waiting) -> None:
    """Wait in the queue, unless nobody writes at the moment."""
    global _is_led  # noqa: PLW0603  one writer at a time for the whole process
    with _guard:
        mine.leads = not _is_led
        _is_led = True
        if not mine.leads:
            _queue.append(mine)
    if not mine.leads:
        mine.woken.wait()


def _lead(mine: _Waiting) -> None:
    """Write for all who wait, wake them, and let the first of those who came since lead."""
    with _guard:
        group = [mine, *_queue[: GATHERED_MAX - 1]]
        del _queue[: GATHERED_MAX - 1]
    try:
        results = ingest.capture_parcels([one.parcel for one in group])
        for each, result in zip(group, results, strict=True):
            each.result = result
    except Exception:
        # Whatever it was, each of them goes by itself and meets it, or does not, alone.
        log.warning("capture_group_failed", deliveries=len(group), exc_info=True)
    finally:
        for each in group:
            each.woken.set()
        _hand_over()


def _hand_over() -> None:
    global _is_led  # noqa: PLW0603  as above
    with _guard:
        _is_led = bool(_queue)
        if _queue:
            following = _queue.pop(0)
            following.leads = True
            following.woken.set()
