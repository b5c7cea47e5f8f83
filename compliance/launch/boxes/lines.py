"""Every line of the last close traced: the walk that the check has done before it looks here."""

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse

from compliance.launch.boxes.found import Found
from compliance.launch.models import CloseWalk
from compliance.launch.rules.boxes import Box
from compliance.launch.rules.proof import Link, Proof, counted


def look(walk: CloseWalk | None, *, at: datetime) -> Iterator[Found]:
    """None for the walk means that no period was closed yet."""
    links = [Link(text="Invoices", path=reverse("admin:cycle_invoice_changelist"))]
    if walk is None:
        yield Found(
            box=Box.LAST_CLOSE_TRACED,
            is_closed=False,
            said="No period was closed yet, so there is no line to trace.",
            remedy="Close a period (close_cycles), then check again.",
            proof=Proof(links=links),
            proved_at=at,
        )
        return
    count = len(walk.differing)
    lines, documents = counted(walk.lines_done, "line"), counted(walk.invoices_done, "document")
    said = f"{lines} on {documents}: each follows from its events, step by step."
    yield Found(
        box=Box.LAST_CLOSE_TRACED,
        is_closed=not count and walk.lines_done > 0,
        said=f"{counted(count, 'step')} not as in the books." if count else said,
        remedy="" if not count and walk.lines_done else _remedy(count),
        proof=Proof(
            facts=[
                ("Periods ended", f"{walk.period_from:%Y-%m-%d %H:%M} to {walk.period_to:%Y-%m-%d %H:%M} UTC"),
                ("Documents walked", f"{walk.invoices_done:,}"),
                ("Lines walked", f"{walk.lines_done:,}"),
                ("Steps that differ", str(count)),
                ("SHA-256 over every step", walk.digest),
            ],
            head=("Document", "Line", "Step", "In the books", "Done again") if count else (),
            rows=walk.differing,
            links=links,
        ),
        proved_at=walk.finished_at or at,
    )


def _remedy(count: int) -> str:
    if not count:
        return "Close a period with something to bill, then check again."
    return "Trace the lines named in the proof (trace INVOICE:LINE) and mend where they part from their events."
