"""The walk of what a credit note gives back: it rates nothing, so it is held against the line that it names."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum

from compliance.evidence.rules import proof
from compliance.evidence.rules.proof import Check
from compliance.evidence.story import amount
from core.errors import NotFoundError
from invoicing.cycle.models import CreditLine, Invoice

RELATED = ("invoice", "credits__invoice", "credits__rated_line__charge")


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenBack:
    """A line of a credit note; `in_all` is what issued credit notes and this one give back of the same line."""

    line: CreditLine
    in_all: Decimal
    checks: tuple[Check, ...]

    @property
    def first_difference(self) -> Check | None:
        return proof.first_difference(self.checks)

    @property
    def is_equal(self) -> bool:
        return self.first_difference is None


def walk_credits(invoice: Invoice) -> tuple[GivenBack, ...]:
    """Every line of a credit note in its order; nothing for any other document."""
    return tuple(_walk(line) for line in invoice.credit_lines.select_related(*RELATED).order_by("position"))


def walk_credit(*, line_id: int, invoice_id: int | None = None) -> GivenBack:
    """One of them; NotFoundError if there is none, or none on that document."""
    lines = CreditLine.objects.filter(pk=line_id)
    if invoice_id is not None:
        lines = lines.filter(invoice=invoice_id)
    line = lines.select_related(*RELATED).first()
    if line is None:
        raise NotFoundError("There is no such line of a credit note.")
    return _walk(line)


def tell(walked: GivenBack) -> list[str]:
    """Of which line, how much of it in all, why, and who asked for it."""
    line, credited = walked.line, walked.line.credits
    currency = line.invoice.currency
    report = line.invoice.delta_reports.select_related("author", "decided_by").order_by("id").first()
    who = "" if report is None or report.author is None else f" {report.author} asked for it: {report.reason}"
    charged = f"{credited}, {credited.description}, which charged {amount(credited.amount, currency)}"
    return [
        f"Credit {line.position} of {line.invoice} gives back {amount(-line.amount, currency)} of {charged}.",
        f"In all, credit notes give back {amount(-walked.in_all, currency)} of that line.{who}",
        f"Why that line was what it was: trace {credited.invoice.number}:{credited.position}.",
    ]


def _walk(line: CreditLine) -> GivenBack:
    """No more than the line, at the tax of the line."""
    others = CreditLine.objects.filter(credits=line.credits_id, invoice__status=Invoice.Status.FINAL)
    given = others.exclude(pk=line.pk).aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    in_all, charged = given + line.amount, line.credits.amount
    fitting = min(abs(in_all), abs(charged)) if in_all * charged <= 0 else Decimal(0)
    tax = [f"{one.tax_category} {one.tax_percent.normalize():f}" for one in (line, line.credits)]
    return GivenBack(
        line=line,
        in_all=in_all,
        checks=(
            proof.compare("given back in all, no more than the line", claimed=abs(in_all), found=fitting),
            proof.compare("tax of the line", claimed=tax[0], found=tax[1]),
        ),
    )
