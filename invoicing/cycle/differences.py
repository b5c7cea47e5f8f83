"""Look closer at the breaks of a bill: which events differ, and what class of trouble that is."""

from collections.abc import Iterable, Sequence

from invoicing.cycle.bills import Bill, Differing
from invoicing.cycle.rules import breaks, tie_out
from metering import queries as metering_queries
from metering.queries import EventDifference

EVENTS_KEPT_MAX = 1000  # of each break; its facts say how many there are in all
_COUNTED = (tie_out.RAW_AGGREGATED, tie_out.AGGREGATED_RATED)


def look_closer(bills: Iterable[Bill]) -> None:
    """Give each finding its class and its differing events; costs nothing where nothing was found."""
    for bill in bills:
        if bill.result is not None:
            bill.differing = [_look(finding, bill=bill) for finding in bill.result.findings]


def _look(finding: tie_out.Finding, *, bill: Bill) -> Differing:
    events = _events(finding, bill=bill)
    kind = breaks.classify(
        name=finding.name,
        differences=[(event.what, event.channel) for event in events],
        raw_events=int(finding.facts.get("raw_events", 0)),
        aggregated_events=int(finding.facts.get("aggregated_events", 0)),
    )
    return Differing(kind=kind, events=tuple(events))


def _events(finding: tie_out.Finding, *, bill: Bill) -> Sequence[EventDifference]:
    if finding.stray is not None and finding.stray < len(bill.stray_events):
        return bill.stray_events[finding.stray]
    if finding.chain is None or finding.name not in _COUNTED:
        return []
    snapshot = bill.lines[finding.chain].snapshot
    return [] if snapshot is None else metering_queries.differing_events(snapshot, limit=EVENTS_KEPT_MAX)
