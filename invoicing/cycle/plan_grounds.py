"""Which issued lines of whole plans stand on lines that are corrected, and what their grounds come to by now."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from invoicing.cycle import advance
from invoicing.cycle.models import Invoice, InvoiceLine
from invoicing.rating import plan_rates
from invoicing.rating.grounds import Grounds
from invoicing.rating.models import LineGround, RatedLine


@dataclass(frozen=True, slots=True)
class Standing:
    """Issued plan lines in the order in which plans are rated, and the present state of all they stand on.

    `grounds` are those of each plan line's first rating; `originals` tell whose rating each of these was.
    """

    by_order: tuple[tuple[int, ...], ...]
    grounds: Mapping[int, Sequence[LineGround]]
    originals: Mapping[int, int]
    charged: Mapping[int, RatedLine]

    def grounds_now(self, line: InvoiceLine, *, corrected: Mapping[int, RatedLine]) -> Grounds:
        """The same lines as they are rated now: as just corrected, as last issued, or as they were."""
        found = []
        for row in self.grounds[line.rated_line_id]:
            original = self.originals.get(row.ground_id, 0)
            rated = corrected.get(original) or self.charged.get(original) or row.ground
            found.append((row.ground.charge.code, rated))
        return found


def find_standing(line_ids: Sequence[int]) -> Standing:
    """The plan lines that stand on any of these original lines, in whichever rating, and on one another."""
    ratings = InvoiceLine.objects.filter(Q(pk__in=line_ids) | Q(adjusts__in=line_ids)).values("rated_line")
    lines = InvoiceLine.objects.filter(
        adjusts=None, invoice__status=Invoice.Status.FINAL, rated_line__grounds__ground__in=ratings
    ).distinct()
    found = dict(lines.values_list("pk", "rated_line_id"))
    grounds = _grounds(found.values())
    originals = _originals({row.ground_id for rows in grounds.values() for row in rows})
    return Standing(
        by_order=_in_order(lines) if found else (),
        grounds=grounds,
        originals=originals,
        charged=advance.charged_by_now(set(originals.values())),
    )


def _in_order(lines: QuerySet[InvoiceLine]) -> tuple[tuple[int, ...], ...]:
    by_model: dict[str, list[int]] = defaultdict(list)
    for pk, model in lines.values_list("pk", "rated_line__price_version__model"):
        by_model[model].append(pk)
    return tuple(tuple(by_model[model]) for model in plan_rates.ORDER if model in by_model)


def _grounds(rated_ids: Iterable[int]) -> dict[int, list[LineGround]]:
    rows = LineGround.objects.filter(line__in=list(rated_ids)).select_related("ground__charge")
    grounds: dict[int, list[LineGround]] = defaultdict(list)
    for row in rows.order_by("line", "position"):
        grounds[row.line_id].append(row)
    return grounds


def _originals(rated_ids: Iterable[int]) -> dict[int, int]:
    """By rated line: the invoice line that it is a rating of, the first or a later one."""
    lines = InvoiceLine.objects.filter(rated_line__in=list(rated_ids))
    return {rated: adjusts or pk for rated, pk, adjusts in lines.values_list("rated_line_id", "pk", "adjusts_id")}
