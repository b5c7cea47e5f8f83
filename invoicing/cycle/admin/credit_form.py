"""What a credit note asks for: a reason, and how much of which line; nothing named means the whole invoice."""

from decimal import Decimal
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget

from invoicing.cycle import credit_note
from invoicing.cycle.admin import wording
from invoicing.cycle.admin.forms import ReasonForm
from invoicing.cycle.models import Invoice

LINES_SHOWN_MAX = 40
PREFIX = "line_"


class CreditForm(ReasonForm):
    """One field per line of which something is left."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = "Printed on the credit note. Leave the amounts empty to give back everything."
        issued = Invoice.objects.filter(pk=self.object_id, status=Invoice.Status.FINAL).first()
        found = credit_note.creditable_lines(issued) if issued else []
        for each in [one for one in found if one.left > 0][:LINES_SHOWN_MAX]:
            left = wording.amount_text(each.left, currency=each.line.rated_line.currency)
            self.fields[f"{PREFIX}{each.line.pk}"] = forms.DecimalField(
                label=f"Line {each.line.position}: {each.line.description}",
                required=False,
                widget=UnfoldAdminTextInputWidget(attrs={"placeholder": f"at most {left}, before tax"}),
            )

    def amounts(self) -> dict[int, Decimal] | None:
        """By line; None for the whole invoice."""
        given = {
            int(name.removeprefix(PREFIX)): amount
            for name, amount in self.cleaned_data.items()
            if name.startswith(PREFIX) and amount is not None
        }
        return given or None
