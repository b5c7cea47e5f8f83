"""Corrections at capture: each is held against the event that it names, and taken by one delivery only."""

from django.db import transaction

from metering.rules import corrections as rules
from metering.rules.corrections import Correcting, Judged
from metering.rules.sorting import Outcome, Sorted
from metering.store import corrections, postgres
from metering.store.postgres import Written


class _RacedError(Exception):
    """Another delivery took one of the identities between our look and our writing."""


def judge(found: Sorted) -> Judged:
    """Say what would become of the corrections of a delivery if they were stored now."""
    targets = corrections.find_targets(found.corrections)
    known = postgres.find_known([each.event for each in found.corrections])
    marks = {identity: stored.fingerprint for identity, stored in known.items()}
    return rules.judge_corrections(found.corrections, targets=targets, marks=marks)


def store(found: Sorted, *, written: Written) -> tuple[Judged, Written]:
    """Write the corrections of a delivery whose other events are `written`; gives what became of them, and the whole.

    Whoever corrects the same event at the same time waits, and then finds it corrected.
    """
    corrections.lock_targets(found.corrections)
    while True:
        judged = judge(found)
        try:
            with transaction.atomic():
                return judged, _write(judged.accepted, written=written)
        except _RacedError:  # the winner has committed: the next look finds its identity known, so this comes to an end
            continue


def _write(accepted: list[Correcting], *, written: Written) -> Written:
    if not accepted:
        return written
    events = sorted(each.event for each in accepted)
    added = postgres.insert_events(events, batch=written)
    if added.accepted < len(events):
        raise _RacedError
    corrections.insert_corrections(accepted)
    return postgres.join_written(written, added)


def join_outcome(outcome: Outcome, judged: Judged) -> Outcome:
    """Put the corrections beside the other events of their delivery."""
    return Outcome(
        accepted=[*outcome.accepted, *(each.event for each in judged.accepted)],
        duplicates=[*outcome.duplicates, *judged.duplicates],
        held=[*outcome.held, *judged.held],
    )
