"""What windows come to by the sums of usage, any number at once: for decisions that cannot wait for a count.

A bill never reads sums. Where they cannot tell (each event by itself, rows from before some figure was kept) the answer
says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.db import transaction
from django.db.models import Max

from core import rounding
from metering import in_force, rollups, summed_stretches
from metering.models import Meter, RollupSeries
from metering.rules import aggregation, covering, summing, summing_parts
from metering.rules.aggregation import ZERO
from metering.rules.parts import Split, UsagePart
from metering.rules.readings import Reading
from metering.rules.summed import Adding, Answer, Question, Steps, SummedStretch
from metering.rules.windows import UsageWindow
from metering.store import elsewhere, rolled_windows

TRIES = 3  # sums may move on while they are read


@dataclass(frozen=True, slots=True)
class SumWindow:
    """A window of one meter, and how a price splits it."""

    window: UsageWindow
    split: Split | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summed:
    """What a window comes to over every event up to `seq`; `is_behind` while its sums are still being caught up."""

    quantity: Decimal
    event_count: int
    parts: tuple[UsagePart, ...]
    seq: int
    is_behind: bool


@dataclass(slots=True, kw_only=True)
class _Asked:
    """One window while it is put together: its steps, what they ask next, how far the sums were that they were told."""

    window: UsageWindow
    reading: Reading
    contract_id: int
    steps: Steps
    questions: list[Question]
    seqs: set[int] = field(default_factory=set)
    answer: Answer | None = None

    def tell(self, sums: list[SummedStretch]) -> bool:
        """Go on with what was asked for; whether there is more to ask."""
        self.seqs |= {summed.seq for summed in sums}
        try:
            with rounding.exactly():
                self.questions = self.steps.send(sums)
        except StopIteration as stop:
            self.answer = stop.value
            return False
        return True


def find_watermark() -> int:
    """Give the last event that the sums have; those of a new way to read may still be behind."""
    last: int | None = RollupSeries.objects.aggregate(last=Max("seq"))["last"]
    return last or 0


def find_customers(*, after: int, up_to: int) -> list[int]:
    """Give whose events were captured with a number in `(after, up_to]`: each event is looked at once, then never."""
    if after >= up_to:
        return []
    with transaction.atomic(), elsewhere.showing_numbers(after=after, up_to=up_to):
        return rolled_windows.find_customers(after=after, up_to=up_to)


def sum_windows(wanted: Sequence[SumWindow]) -> list[Summed | None]:
    """Sum each window in its order; None where sums cannot tell. The statements do not grow with the windows.

    A split that no meter keeps apart gets a series of its own, which is behind until the next rounds of `rollups`.
    """
    series: dict[tuple[int, str], RollupSeries] = {}
    asked = _ask(dict(enumerate(wanted)))
    _put_together(asked, series)
    for _again in range(TRIES - 1):
        if not (moved := {place: wanted[place] for place, one in asked.items() if len(one.seqs) > 1}):
            break
        again = _ask(moved)
        _put_together(again, series)
        asked |= again
    watermark = find_watermark()
    return [_summed(asked.get(place), watermark=watermark) for place in range(len(wanted))]


def _put_together(asked: dict[int, _Asked], series: dict[tuple[int, str], RollupSeries]) -> None:
    """Tell all of them what they ask, round by round, until none asks for more."""
    open_ = list(asked.values())
    while open_:
        told = _read(open_, series)
        open_ = [one for one, sums in zip(open_, told, strict=True) if one.tell(sums)]


def _ask(wanted: Mapping[int, SumWindow]) -> dict[int, _Asked]:
    meters = {each.window.meter_id for each in wanted.values()}
    versions = in_force.versions_by_meter(meters)
    contracts = dict(Meter.objects.filter(pk__in=meters).values_list("pk", "contract_id"))
    asked = {}
    for place, each in wanted.items():
        window = each.window
        reading = in_force.at_instant(versions[window.meter_id], window.start).as_reading()
        steps = _steps(window, reading, each.split)
        if steps is not None:
            asked[place] = _Asked(
                window=window,
                reading=reading,
                contract_id=contracts[window.meter_id],
                steps=steps,
                questions=next(steps),
            )
    return asked


def _steps(window: UsageWindow, reading: Reading, split: Split | None) -> Steps | None:
    if split is None:
        by_minute = covering.need_minutes(summing.edges_of(window, reading), zones={window.zone})
        return summing.ask_whole(window, reading, by_minute=by_minute)
    if not summing_parts.can_split(reading, split):
        return None
    edges = summing_parts.edges_of(window, split)
    by_minute = split.bucket == "minute" or covering.need_minutes(edges, zones={window.zone, split.zone})
    return summing_parts.ask_parts(window, reading, split, by_minute=by_minute)


def _read(open_: Sequence[_Asked], series: dict[tuple[int, str], RollupSeries]) -> list[list[SummedStretch]]:
    """Answer what each of these asks next, all of it together; a series that is not there yet is started."""
    needed = {(one.contract_id, rollups.hash_of(each.adding)): each.adding for one in open_ for each in one.questions}
    _find_series(needed, series)
    flat = [
        summed_stretches.Asked(one.window.customer_id, series[one.contract_id, rollups.hash_of(each.adding)], each)
        for one in open_
        for each in one.questions
    ]
    told = iter(summed_stretches.read_all(flat))
    return [[next(told) for _ in one.questions] for one in open_]


def _find_series(needed: dict[tuple[int, str], Adding], series: dict[tuple[int, str], RollupSeries]) -> None:
    for is_started in (False, True):
        missing = {key: needed[key] for key in sorted(needed) if key not in series}
        if not missing:
            return
        if is_started:
            rollups.start_series(missing)
        found = RollupSeries.objects.filter(reading_hash__in={mark for _, mark in missing})
        series |= {(one.contract_id, one.reading_hash): one for one in found}


def _summed(one: _Asked | None, *, watermark: int) -> Summed | None:
    if one is None or one.answer is None:
        return None
    seq = min(one.seqs)
    if len(one.seqs) > 1:  # what was added up to different events does not belong together
        return Summed(quantity=ZERO, event_count=0, parts=(), seq=seq, is_behind=True)
    return Summed(
        quantity=aggregation.quantity_of(one.answer.ratio, reading=one.reading),
        event_count=one.answer.event_count,
        parts=one.answer.parts,
        seq=seq,
        is_behind=seq < watermark,
    )
