"""What the review queue asks for: which invoices, and the decision over those that are ticked."""

import re
from datetime import UTC, datetime
from typing import Any, ClassVar

from django import forms

from invoicing.cycle import together
from invoicing.cycle.models import DocumentType, Hold, HoldReason, Invoice
from invoicing.cycle.queue import ORDERS, WAITING, Wanted
from invoicing.cycle.rules import reasons

Status = Invoice.Status
STATUSES = {
    "waiting": ("Everything that waits", WAITING),
    "draft": ("Draft", ("draft",)),
    "held": ("Held", ("held",)),
    "approved": ("Approved", ("approved",)),
    "final": ("Final", ("final",)),
    "discarded": ("Discarded", ("discarded",)),
}
MONTH = re.compile(r"(\d{4})-(\d{2})")
TICKED = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")


class QueueFilter(forms.Form):
    """The filters of the queue, read from its address; what cannot be read filters nothing."""

    status = forms.ChoiceField(choices=[(key, words) for key, (words, _) in STATUSES.items()], required=False)
    cause = forms.ChoiceField(label="Held for", required=False)
    customer = forms.CharField(required=False, max_length=100)
    program = forms.ChoiceField(required=False)
    currency = forms.ChoiceField(required=False)
    period = forms.ChoiceField(label="Ended in", required=False)
    kind = forms.ChoiceField(
        required=False,
        choices=[
            ("", "All"),
            *Invoice.Kind.choices,
            (DocumentType.CREDIT_NOTE.value, DocumentType.CREDIT_NOTE.label),
        ],
    )
    least = forms.DecimalField(label="Total from", required=False, max_digits=20, decimal_places=4)
    most = forms.DecimalField(label="to", required=False, max_digits=20, decimal_places=4)
    order = forms.ChoiceField(choices=list(ORDERS.items()), required=False)
    page = forms.IntegerField(required=False, min_value=1, max_value=10_000, widget=forms.HiddenInput)

    SELECTS: ClassVar[tuple[str, ...]] = ("cause", "program", "currency", "period")

    def __init__(self, data: Any, *, choices: dict[str, list[tuple[str, str]]]) -> None:
        super().__init__(data)
        for name in self.SELECTS:
            field: Any = self.fields[name]
            field.choices = [("", "All"), *choices[name]]

    def wanted(self) -> Wanted:
        self.is_valid()
        given = self.cleaned_data
        ended_from, ended_before = month_bounds(given.get("period", ""))
        return Wanted(
            statuses=STATUSES[given.get("status") or "waiting"][1],
            ended_from=ended_from,
            ended_before=ended_before,
            order=given.get("order") or "unusual",
            least=given.get("least"),
            most=given.get("most"),
            **{name: given.get(name, "") for name in ("cause", "customer", "program", "currency", "kind")},
        )

    @property
    def page_number(self) -> int:
        return int(self.cleaned_data.get("page") or 1)


class DecisionForm(forms.Form):
    """One decision over the ticked invoices; each brings the hash of the figures that were on the page."""

    action = forms.ChoiceField(choices=[("approve", "Approve"), ("hold", "Hold"), ("release", "Release")])
    reason = forms.CharField(required=False, max_length=reasons.LENGTH_MAX)
    reason_code = forms.CharField(required=False, max_length=60)

    def figures(self) -> list[tuple[int, str]]:
        """The ticked invoices, as (id, hash); ValidationError where there is none, or something else was sent."""
        sent: Any = self.data
        found = [TICKED.fullmatch(given) for given in sent.getlist("invoice")]
        ticked = [(int(match[1]), match[2]) for match in found if match is not None]
        if not ticked or len(ticked) != len(found):
            raise forms.ValidationError("Tick at least one invoice.")
        if len(ticked) > together.INVOICES_MAX:
            raise forms.ValidationError(f"Tick at most {together.INVOICES_MAX} invoices at once.")
        return ticked


def hold_causes() -> list[tuple[str, str]]:
    """Why invoices are held: found by counting, placed by people, or one of the usual reasons."""
    listed = HoldReason.objects.filter(use=HoldReason.Use.HOLD).values_list("code", "label")
    return [*((str(cause), str(words)) for cause, words in Hold.Cause.choices), *listed]


def month_bounds(text: str) -> tuple[datetime | None, datetime | None]:
    """The instants at which a month such as 2026-10 begins and the next one does."""
    match = MONTH.fullmatch(text)
    if match is None:
        return None, None
    year, month = int(match[1]), int(match[2])
    after = (year + 1, 1) if month == 12 else (year, month + 1)  # noqa: PLR2004  December
    return datetime(year, month, 1, tzinfo=UTC), datetime(*after, 1, tzinfo=UTC)
