"""How much of an invoice is printed, and what goes into files attached to the PDF instead."""

from dataclasses import dataclass

from invoicing.documents.document import DocumentLine, InvoiceDocument

PRINTED_ROWS_MAX = 500  # of lines, and again of steps: each row takes about 2 ms to lay out


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """Printed and attached lines, and the same for the lines whose amount is explained step by step."""

    printed: tuple[DocumentLine, ...]
    attached: tuple[DocumentLine, ...]
    explained: tuple[DocumentLine, ...]
    explained_elsewhere: tuple[DocumentLine, ...]


def measure(document: InvoiceDocument, *, rows_max: int = PRINTED_ROWS_MAX) -> Extent:
    """Cut lines and explanations where their rows pass the limit; whole lines, in order, nothing twice."""
    needing = [line for line in document.lines if needs_steps(line)]
    explained: list[DocumentLine] = []
    rows = 0
    for line in needing:
        rows += 1 + len(line.steps)
        if rows > rows_max:
            break
        explained.append(line)
    return Extent(
        printed=document.lines[:rows_max],
        attached=document.lines[rows_max:],
        explained=tuple(explained),
        explained_elsewhere=tuple(needing[len(explained) :]),
    )


def needs_steps(line: DocumentLine) -> bool:
    """A line with one quantity and one price explains itself."""
    return len(line.steps) > 1 or bool(line.steps and not line.unit_price)
