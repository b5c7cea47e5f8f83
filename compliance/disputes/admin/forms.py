"""What the dialogs of disputes ask for."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from django import forms
from django.contrib.auth.models import User
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from compliance.disputes import fixing, policies, queries
from compliance.disputes.models import Dispute, DisputePolicy
from compliance.disputes.rules import due
from invoicing.cycle.models import DeltaReport, Invoice

TEXT_MAX = 4000


def _text(rows: int = 4) -> UnfoldAdminTextareaWidget:
    return UnfoldAdminTextareaWidget(attrs={"rows": rows})


class OpenForm(BaseDialogForm):
    """Which invoice, which line, why."""

    number = forms.CharField(label="Invoice number", max_length=60, widget=UnfoldAdminTextInputWidget)
    line = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=2**31 - 1,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Its position; empty for the whole invoice.",
    )
    reason = forms.ChoiceField(choices=Dispute.Reason.choices, widget=UnfoldAdminSelectWidget)
    text = forms.CharField(label="In the customer's words", max_length=TEXT_MAX, widget=_text())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        searched = parse_qs(urlsplit(self.request.headers.get("HX-Current-URL", "")).query).get("q", [""])[0]
        if Invoice.objects.filter(number=searched.strip()).exclude(number="").exists():
            self.fields["number"].initial = searched.strip()  # whoever came from the page of an invoice

    def clean_number(self) -> Invoice:
        found = Invoice.objects.filter(number=self.cleaned_data["number"].strip()).first()
        if found is None:
            raise forms.ValidationError("There is no issued invoice with this number.")
        return found


class StageForm(BaseDialogForm):
    """A dialog whose fields are arguments of a stage function, under their names."""

    def arguments(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if not name.startswith("_")}


class ClosingForm(StageForm):
    """What ends a dispute ends its hold on collection: asks whether to keep it, where there is one to keep."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dispute = Dispute.objects.filter(pk=self.object_id).first()
        mine = queries.own_hold(dispute) if dispute else None
        if mine is not None and mine.kept_at is None:
            self.fields["keep_hold"] = forms.CharField(
                label="Keep the hold on collection, because",
                required=False,
                max_length=1000,
                widget=_text(2),
                help_text="Empty: the hold ends with the last dispute that asked for it.",
            )


class AnswerForm(ClosingForm):
    """What the customer is answered."""

    answer = forms.CharField(
        label="Answer to the customer",
        min_length=5,
        max_length=TEXT_MAX,
        widget=_text(6),
        help_text="Stands in the letter and in the portal.",
    )


class WhyForm(StageForm):
    """Why, for whoever reads this in a year."""

    reason = forms.CharField(min_length=5, max_length=1000, widget=_text(3))


class UpdateForm(StageForm):
    """How it stands, for the customer."""

    text = forms.CharField(label="To the customer", max_length=TEXT_MAX, widget=_text())


class RemarkForm(StageForm):
    """Something for colleagues."""

    text = forms.CharField(
        label="For colleagues", max_length=TEXT_MAX, widget=_text(), help_text="The customer never sees it."
    )


class AssignForm(StageForm):
    """Who has it."""

    owner = forms.ModelChoiceField(
        User.objects.none(),
        required=False,
        to_field_name="username",
        empty_label="Anybody in the role that owns the step",
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["owner"]
        staff = User.objects.filter(is_active=True, groups__name__in=due.OWNER_ROLES)
        field.queryset = staff.distinct().order_by("username")

    def arguments(self) -> dict[str, Any]:
        owner = self.cleaned_data["owner"]
        return {"username": owner.username if owner else ""}


class WithdrawForm(ClosingForm, WhyForm):
    """Why the customer takes it back."""


class FixForm(ClosingForm):
    """What corrects it."""

    document = forms.ModelChoiceField(
        Invoice.objects.none(),
        required=False,
        empty_label="—",
        widget=UnfoldAdminSelectWidget,
        label="Document",
        help_text="Credit notes and invoices with a line that corrects what is contested.",
    )
    delta_report = forms.ModelChoiceField(
        DeltaReport.objects.none(),
        required=False,
        empty_label="—",
        widget=UnfoldAdminSelectWidget,
        label="or a delta report",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dispute = Dispute.objects.select_related("invoice").filter(pk=self.object_id).first()
        if dispute is None:
            return
        documents: Any = self.fields["document"]
        reports: Any = self.fields["delta_report"]
        found = fixing.corrections_of(dispute.invoice, line_id=dispute.line_id)
        documents.queryset = Invoice.objects.filter(pk__in=[one.pk for one in found])
        lines = dispute.invoice.lines.all() if dispute.line_id is None else [dispute.line_id]
        reports.queryset = DeltaReport.objects.filter(rows__corrects__in=lines).distinct()

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if bool(given.get("document")) == bool(given.get("delta_report")):
            raise forms.ValidationError("Choose either a document or a delta report.")
        return given

    def arguments(self) -> dict[str, Any]:
        given = super().arguments()
        chosen = {f"{name}_id": given.pop(name) for name in ("document", "delta_report")}
        return {**given, **{name: one.pk if one else None for name, one in chosen.items()}}


class PolicyForm(BaseDialogForm):
    """All of the next version, as it is now until somebody changes it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        now = policies.current_policy()
        for name in (*due.HOURS, *due.OWNERS):
            field: Any = DisputePolicy._meta.get_field(name)
            widget = UnfoldAdminSelectWidget() if name in due.OWNERS else UnfoldAdminIntegerFieldWidget()
            self.fields[name] = field.formfield(widget=widget, initial=getattr(now, name))
        self.fields["reason"] = forms.CharField(min_length=5, max_length=1000, widget=_text(3))


class DrillForm(BaseDialogForm):
    """Asks for nothing: opening the dialog is the second thought."""
