"""What each decision on an invoice asks for before it is made."""

from typing import Any

from django import forms
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from invoicing.cycle import comment
from invoicing.cycle.models import HoldReason, Invoice
from invoicing.cycle.rules import reasons

REASON_LENGTH_MIN = 5


class ReasonForm(BaseDialogForm):
    """A reason that a colleague will understand a year from now."""

    reason = forms.CharField(
        label="Reason",
        min_length=REASON_LENGTH_MIN,
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Kept in the history of this invoice.",
    )


class UsualReasonForm(BaseDialogForm):
    """One of the usual reasons, words of one's own, or both."""

    use: HoldReason.Use
    reason_code = forms.ModelChoiceField(
        HoldReason.objects.none(),
        label="Usual reason",
        required=False,
        to_field_name="code",
        empty_label="Another one, as below",
        widget=UnfoldAdminSelectWidget,
    )
    reason = forms.CharField(
        label="In your words",
        required=False,
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Kept in the history of this invoice.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["reason_code"]
        choice.queryset = HoldReason.objects.filter(use=self.use, is_in_use=True)

    def clean(self) -> dict[str, Any]:
        """Whether it says enough is the rule of the decision, asked here so that the dialog can say so."""
        given = super().clean() or self.cleaned_data
        listed = given.get("reason_code")
        try:
            reasons.clean_reason(given.get("reason", ""), label=listed.label if listed else "")
        except reasons.ReasonMissingError as error:
            self.add_error("reason", error.message)
        return given

    def said(self) -> dict[str, str]:
        """As the stage functions take it."""
        listed = self.cleaned_data["reason_code"]
        return {"reason": self.cleaned_data["reason"], "reason_code": listed.code if listed else ""}


class HoldForm(UsualReasonForm):
    """Why the invoice has to wait."""

    use = HoldReason.Use.HOLD


class ReleaseForm(UsualReasonForm):
    """Why it may go on."""

    use = HoldReason.Use.RELEASE


class CommentForm(forms.Form):
    """A remark for colleagues."""

    text = forms.CharField(max_length=comment.LENGTH_MAX)


class ConfirmForm(BaseDialogForm):
    """No field: the decision itself, behind one deliberate click."""


class ApproveForm(BaseDialogForm):
    """Approves exactly the figures that stand on the page: their hash travels with the click."""

    content_hash = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        invoice = Invoice.objects.filter(pk=self.object_id).first()
        if invoice is not None:
            self.fields["content_hash"].initial = invoice.content_hash
