"""What kind of trouble a break is, told from the events that differ."""

from collections.abc import Collection

from invoicing.cycle.rules import tie_out

DUPLICATE = "duplicate"
OUT_OF_ORDER = "out_of_order"
MISSING = "missing"
BACKFILL = "backfill"
DRIFT = "re_rating_drift"

CLASSES = (
    (DUPLICATE, "Counted twice"),
    (OUT_OF_ORDER, "Out of order: appeared after it was counted"),
    (MISSING, "Missing on one side"),
    (BACKFILL, "Backfilled behind the count"),
    (DRIFT, "Re-rating drift: the same events, another result"),
)
REPAIRS = {
    DUPLICATE: "Cancel the event that stands there twice at its source, then repair and draft again.",
    OUT_OF_ORDER: "The events below came after the count. If they belong to the period, repair and draft again.",
    MISSING: (
        "Bring the missing side back: import or resend the events that are gone, release them from quarantine, or add a"
        " price that covers them. Then repair and draft again."
    ),
    BACKFILL: "Look at what was imported behind the count, cancel what is wrong there, then repair and draft again.",
    DRIFT: "Amend events that were altered; where none was, repair and draft again, and tell engineering if it stays.",
}


def classify(
    *, name: str, differences: Collection[tuple[str, str]], raw_events: int = 0, aggregated_events: int = 0
) -> str:
    """The class of a break by its name and its differing events, each as (how it differs, by which channel it came).

    What contradicts itself says most: an identity that stands there twice, then one that is gone, then one that nobody
    acknowledged or that came after the count. Without such events the numbers decide.
    """
    if name == tie_out.UNPRICED:
        return MISSING
    if name != tie_out.RAW_AGGREGATED:
        return DRIFT
    said = {what for what, _ in differences}
    if "twice" in said:
        return DUPLICATE
    if "gone" in said or raw_events < aggregated_events:
        return MISSING
    if raw_events == aggregated_events:
        return DRIFT
    late = {channel for what, channel in differences if what == "after_the_count"}
    return OUT_OF_ORDER if late and "import" not in late and "not_acknowledged" not in said else BACKFILL
