"""What must hold of rated lines; the numbers are those of the project's list of invariants."""

from collections.abc import Iterator
from itertools import islice

from core import money
from core.invariants import Invariant, rows_of
from invoicing.rating import rate
from invoicing.rating.models import RatedLine
from invoicing.rating.rules import steps

STREAM_ROWS = 2000


def _lines() -> Iterator[RatedLine]:
    lines = RatedLine.objects.select_related("price_version", "snapshot").order_by("pk")
    return lines.iterator(chunk_size=STREAM_ROWS)


def _find_amounts_that_do_not_follow() -> list[str]:
    offenders = []
    lines = _lines()
    while chunk := list(islice(lines, STREAM_ROWS)):
        for line, again in zip(chunk, rate.recompute_lines(chunk), strict=True):
            if (line.amount_exact, line.amount, line.computation) != (
                again.amount_exact,
                again.amount,
                again.as_json(),
            ):
                offenders.append(f"rated line {line.pk}: {money.plain(line.amount)}, again {money.plain(again.amount)}")
            elif (line.part_count, line.parts_digest) != again.mark:
                offenders.append(f"rated line {line.pk}: priced by other parts than its snapshot has")
    return offenders


def _find_steps_that_lose_units() -> list[str]:
    offenders = []
    for line in _lines():
        if line.snapshot_id is None or line.part_count is not None:
            continue  # a fee has no units; parts need not add up to the whole, such as the peaks of each hour
        left = steps.units_left(line.computation, quantity=line.quantity)
        if left:
            held = money.plain(line.quantity - left)
            offenders.append(f"rated line {line.pk}: {money.plain(line.quantity)}, in steps {held}")
    return offenders


INVARIANTS = [
    Invariant(
        number=12,
        name="an amount follows from its quantity and price version",
        find_offenders=_find_amounts_that_do_not_follow,
    ),
    Invariant(
        number=12,
        name="a rated line has the price version that was in force for its segment",
        find_offenders=rows_of(
            """
            SELECT line.id AS rated_line, line.effective_at, line.segment_start
            FROM rating_ratedline line JOIN pricing_priceversion price ON price.id = line.price_version_id
            WHERE price.charge_id <> line.charge_id OR price.effective_at <> line.effective_at
               OR line.effective_at > line.segment_start OR price.status <> 'approved'
            ORDER BY line.id
            """
        ),
    ),
    Invariant(
        number=12,
        name="a rated line has an approved version of its plan that was in force for its segment",
        find_offenders=rows_of(
            """
            SELECT line.id AS rated_line, terms.id AS plan_version, terms.effective_at, line.segment_start
            FROM rating_ratedline line
            JOIN pricing_planversion terms ON terms.id = line.plan_version_id
            JOIN pricing_charge charge ON charge.id = line.charge_id
            WHERE terms.plan_id <> charge.plan_id OR terms.status <> 'approved'
               OR terms.effective_at > line.segment_start
            ORDER BY line.id
            """
        ),
    ),
    Invariant(
        number=12,
        name="a line by a fee program has an approved version of that program that was in force, and no other line has",
        find_offenders=rows_of(
            """
            SELECT line.id AS rated_line, figures.id AS fee_version, figures.effective_at, line.segment_start
            FROM rating_ratedline line
            JOIN pricing_priceversion price ON price.id = line.price_version_id
            LEFT JOIN pricing_feeprogramversion figures ON figures.id = line.fee_version_id
            LEFT JOIN pricing_feeprogram program ON program.id = figures.program_id
            WHERE (price.model = 'fee_program') <> (figures.id IS NOT NULL)
               OR figures.status <> 'approved' OR figures.effective_at > line.segment_start
               OR program.code <> price.params ->> 'program'
            ORDER BY line.id
            """
        ),
    ),
    Invariant(
        number=14,
        name="the steps of a computation hold the whole quantity",
        find_offenders=_find_steps_that_lose_units,
    ),
    Invariant(
        number=14,
        name="the rated quantity is the snapshot's",
        find_offenders=rows_of(
            """
            SELECT line.id AS rated_line, line.quantity AS rated, snapshot.quantity AS measured
            FROM rating_ratedline line JOIN metering_aggregationsnapshot snapshot ON snapshot.id = line.snapshot_id
            WHERE line.quantity <> snapshot.quantity
               OR (line.segment_start, line.segment_end) <> (snapshot.window_start, snapshot.window_end)
            ORDER BY line.id
            """
        ),
    ),
    Invariant(
        number=14,
        name="a line of a whole plan stands on lines of its own plan and subscription",
        find_offenders=rows_of(
            """
            SELECT standing.line_id AS rated_line, standing.ground_id AS ground
            FROM rating_lineground standing
            JOIN rating_ratedline line ON line.id = standing.line_id
            JOIN rating_ratedline ground ON ground.id = standing.ground_id
            JOIN pricing_charge charge ON charge.id = line.charge_id
            JOIN pricing_charge other ON other.id = ground.charge_id
            WHERE line.subscription_id <> ground.subscription_id OR charge.plan_id <> other.plan_id
            ORDER BY standing.id
            """
        ),
    ),
]
