"""What an invoice or a line rests on: its ratings, those they correct or stand on, their snapshots and events."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from invoicing.cycle.models import Invoice, InvoiceLine
from invoicing.rating.models import LineGround, RatedLine
from invoicing.rating.together import TOGETHER
from metering.models import AggregationSnapshot
from metering.queries import EvidenceStream

StreamKey = tuple[int, int, datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Ratings by id, with what they stand on; the snapshots under them; the streams of events that are packed."""

    ratings: dict[int, RatedLine]
    grounds: dict[int, list[int]]
    snapshots: dict[int, AggregationSnapshot]
    streams: dict[str, EvidenceStream]
    stream_of: dict[int, str]


def reach_of(invoice: Invoice, *, line: InvoiceLine | None) -> Reach:
    """All that the invoice's lines rest on; events only of what the one line rests on, where one is meant."""
    given_back = [each.credits for each in invoice.credit_lines.select_related("credits")]
    whole = [*invoice.lines.all(), *given_back]
    inside = _close_over([each.rated_line_id for each in (whole if line is None else [line])])
    every = inside if line is None else _close_over([each.rated_line_id for each in whole])
    ratings = _ratings(every | inside)
    snapshots = {each.snapshot.pk: each.snapshot for each in ratings.values() if each.snapshot is not None}
    packed = [ratings[pk].snapshot for pk in sorted(inside)]
    streams, stream_of = _streams([each for each in packed if each is not None])
    grounds: dict[int, list[int]] = {}
    for line_id, ground_id in (
        LineGround.objects.filter(line__in=ratings).order_by("line", "position").values_list("line_id", "ground_id")
    ):
        grounds.setdefault(line_id, []).append(ground_id)
    return Reach(ratings=ratings, grounds=grounds, snapshots=snapshots, streams=streams, stream_of=stream_of)


def billed_before(line: InvoiceLine) -> Q:
    """The final lines that had billed of the same window before this adjustment."""
    return Q(Q(pk=line.adjusts_id) | Q(adjusts=line.adjusts_id), pk__lt=line.pk, invoice__status=Invoice.Status.FINAL)


def _close_over(rated_ids: Iterable[int]) -> set[int]:
    """These ratings, and to the end what they follow from.

    Those that they correct or take off, those that lines of whole plans stand on, those they are rounded together with.
    """
    found: set[int] = set()
    fresh = set(rated_ids)
    while fresh:
        found |= fresh
        reached = set(LineGround.objects.filter(line__in=fresh).values_list("ground_id", flat=True))
        taken_off = InvoiceLine.objects.filter(deducted_by__line__rated_line__in=fresh)
        reached |= set(taken_off.values_list("rated_line_id", flat=True))
        reached |= _rounded_with(fresh)
        for line in InvoiceLine.objects.filter(rated_line__in=fresh, adjusts__isnull=False):
            reached |= set(InvoiceLine.objects.filter(billed_before(line)).values_list("rated_line_id", flat=True))
        fresh = reached - found
    return found


def _rounded_with(rated_ids: Iterable[int]) -> set[int]:
    together = InvoiceLine.objects.filter(adjusts=None, rated_line__rounding_level=TOGETHER)
    invoices = together.filter(rated_line__in=rated_ids).values("invoice")
    return set(together.filter(invoice__in=invoices).values_list("rated_line_id", flat=True))


def _ratings(ids: Iterable[int]) -> dict[int, RatedLine]:
    rows = RatedLine.objects.filter(pk__in=ids).select_related(
        "charge__plan",
        "price_version",
        "fee_version__program",
        "subscription",
        "invoice_line__invoice__cycle",
        "invoice_line__adjusts__rated_line",
        "snapshot__customer",
        "snapshot__meter__contract",
        "snapshot__meter_version",
        "snapshot__watermark",
    )
    return {rated.pk: rated for rated in rows.order_by("pk")}


def _streams(snapshots: Sequence[AggregationSnapshot]) -> tuple[dict[str, EvidenceStream], dict[int, str]]:
    """Snapshots over one stretch of one contract share its events, whatever their meters and watermarks."""
    shared: dict[StreamKey, list[AggregationSnapshot]] = {}
    for each in snapshots:
        key = (each.customer_id, each.meter.contract_id, each.since, each.window_end)
        shared.setdefault(key, []).append(each)
    streams: dict[str, EvidenceStream] = {}
    stream_of: dict[int, str] = {}
    for place, (key, members) in enumerate(sorted(shared.items()), start=1):
        name = f"{place:04}"
        first = members[0]
        streams[name] = EvidenceStream(
            customer_id=key[0],
            customer_code=first.customer.code,
            contract_id=key[1],
            event_type=first.meter.contract.event_type,
            start=key[2],
            end=key[3],
            up_to_seq=max(each.watermark.seq for each in members),
        )
        stream_of |= {each.pk: name for each in members}
    return streams, stream_of
