"""What no snapshot counted: usage that no priced window covers, and events that came after their window was counted."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from metering.models import Meter, Watermark
from metering.rules.windows import Stretch, UsageWindow, find_gaps
from metering.store import differences, elsewhere, late, reading
from metering.store.differences import EventDifference
from metering.store.late import LateWindow
from metering.store.reading import StrayUsage, UsageGap


@dataclass(frozen=True, slots=True)
class CustomerPeriod:
    """A period for which every accepted event of the customer should have a price, or those after a number."""

    customer_id: int
    start: datetime
    end: datetime
    after_seq: int = 0


def stray_usage(
    periods: Sequence[CustomerPeriod], *, windows: Sequence[UsageWindow], watermark: Watermark
) -> list[StrayUsage]:
    """Find accepted events of metered contracts, in these periods, that no window of any of their meters covers.

    An event whose contract feeds several meters has its price where one of them has; a plan need not price them all.
    `windows` are all that are priced for these customers, of every subscription they have. Each event is found once:
    under the first of the periods that it falls in.
    """
    gaps = _find_gaps(periods, priced=windows)
    if not gaps:
        return []
    customers = sorted({gap.customer_id for gap in gaps})
    with elsewhere.showing(min(gap.start for gap in gaps), max(gap.end for gap in gaps), customer_ids=customers):
        return reading.find_strays(gaps, up_to_seq=watermark.seq)


def stray_events(
    periods: Sequence[CustomerPeriod], *, windows: Sequence[UsageWindow], watermark: Watermark, limit: int
) -> dict[tuple[int, int], list[EventDifference]]:
    """Give the first events of what `stray_usage` counts, by customer and contract (ids)."""
    gaps = _find_gaps(periods, priced=windows)
    if not gaps:
        return {}
    customers = sorted({gap.customer_id for gap in gaps})
    with elsewhere.showing(min(gap.start for gap in gaps), max(gap.end for gap in gaps), customer_ids=customers):
        return differences.of_gaps(gaps, up_to_seq=watermark.seq, limit=limit)


def _find_gaps(periods: Sequence[CustomerPeriod], *, priced: Sequence[UsageWindow]) -> list[UsageGap]:
    contracts = dict(Meter.objects.values_list("pk", "contract_id"))
    covered: dict[tuple[int, int], list[Stretch]] = {}
    for window in priced:
        measured = (window.customer_id, contracts[window.meter_id])
        covered.setdefault(measured, []).append((window.start, window.end))
    return [
        UsageGap(period.customer_id, contract_id, number, start, end, period.after_seq)
        for number, period in enumerate(_disjoint(periods))
        for contract_id in sorted(set(contracts.values()))
        for start, end in find_gaps(
            period.start, period.end, covered=covered.get((period.customer_id, contract_id), ())
        )
    ]


def _disjoint(periods: Iterable[CustomerPeriod]) -> Iterator[CustomerPeriod]:
    """Let each period of a customer begin no earlier than the ones before it ended."""
    reached: dict[int, datetime] = {}
    for period in sorted(periods, key=lambda each: (each.customer_id, each.start, each.end)):
        start = max(period.start, reached.get(period.customer_id, period.start))
        if start < period.end:
            yield replace(period, start=start)
            reached[period.customer_id] = period.end


def late_windows(*, customer_ids: Sequence[int] | None = None, watermark: Watermark | None = None) -> list[LateWindow]:
    """Find live cycle snapshots whose window has events that neither they nor their live corrections counted.

    With a watermark only events that a count at it would see: later ones are another close's.
    """
    last_seq = None if watermark is None else watermark.seq
    is_any_away = elsewhere.is_any_away(*elsewhere.ALWAYS)
    corrected = late.find_corrected_away(customer_ids=customer_ids, last_seq=last_seq) if is_any_away else {}
    with elsewhere.showing_late(customer_ids=customer_ids, corrected=corrected):
        return late.count_late_events(customer_ids=customer_ids, last_seq=last_seq)
