"""What the lines of a whole plan stand on: the other lines whose amounts they rate."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from core import bulk
from invoicing.rating.models import LineGround, RatedLine
from invoicing.rating.rules import PlanLine

Grounds = Sequence[tuple[str, RatedLine]]


def plan_lines(grounds: Grounds) -> tuple[PlanLine, ...]:
    """As the rules take them: the code of each line's charge, and its rounded amount."""
    return tuple(PlanLine(code, line.amount) for code, line in grounds)


def keep_grounds(standing: Iterable[tuple[RatedLine, Grounds]]) -> None:
    """Write down what each of these lines stands on; with the lines themselves, once for ever."""
    bulk.insert_rows(
        [
            LineGround(line=line, ground=ground, position=position)
            for line, grounds in standing
            for position, (_, ground) in enumerate(grounds, start=1)
        ]
    )


def read_grounds(line_ids: Iterable[int]) -> dict[int, tuple[PlanLine, ...]]:
    """What was written down, in its order; nothing for a line that stands on nothing."""
    rows = LineGround.objects.filter(line__in=list(line_ids)).order_by("line", "position")
    found: dict[int, list[PlanLine]] = defaultdict(list)
    for line_id, code, amount in rows.values_list("line_id", "ground__charge__code", "ground__amount"):
        found[line_id].append(PlanLine(code, amount))
    return {line_id: tuple(lines) for line_id, lines in found.items()}
