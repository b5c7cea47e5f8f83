"""What the dialogs of metering ask for."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.models import Customer
from core.http import parsing
from metering import bulk, meters
from metering.meters import UnmeasurableError
from metering.models import Aggregation, BulkDecision, EventContract, Meter
from metering.rules import drafting, exact_json
from metering.rules.drafting import ContractDraft
from metering.rules.measures import MeterContent

REASON_LENGTH_MIN = 5


class ReasonForm(BaseDialogForm):
    """Why, for whoever reads this in a year."""

    reason = forms.CharField(
        min_length=REASON_LENGTH_MIN, max_length=1000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )


class GroupForm(forms.Form):
    """What is to be done with a whole group of quarantined events, and why."""

    code = forms.CharField(max_length=60, widget=forms.HiddenInput)
    source = forms.CharField(max_length=200, required=False, strip=False, widget=forms.HiddenInput)
    event_type = forms.CharField(max_length=200, required=False, strip=False, widget=forms.HiddenInput)
    subject = forms.CharField(max_length=200, required=False, strip=False, widget=forms.HiddenInput)
    action = forms.ChoiceField(choices=[one for one in BulkDecision.Action.choices if one[0] in bulk.STARTED])
    reason = forms.CharField(
        min_length=REASON_LENGTH_MIN, max_length=1000, widget=forms.Textarea(attrs={"rows": 2, "required": True})
    )


class NamedCustomerForm(forms.Form):
    """Whose events they are that name nobody we know."""

    system = forms.CharField(max_length=60, widget=forms.HiddenInput)
    external_id = forms.CharField(max_length=200, widget=forms.HiddenInput)
    customer = forms.ModelChoiceField(Customer.objects.order_by("code"), to_field_name="code")


class ConfirmForm(BaseDialogForm):
    """No field: the decision itself, behind one deliberate click."""


class MeterForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's takes none at run time
    """A new meter with the content of its first version; what the stage would refuse is said where it was typed."""

    definition = forms.CharField(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}), help_text="Words a customer would understand."
    )
    exclusions = forms.CharField(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}), required=False, help_text="What is not counted."
    )
    aggregation = forms.ChoiceField(choices=Aggregation.choices, widget=UnfoldAdminSelectWidget())
    value_property = forms.CharField(
        required=False, max_length=120, widget=UnfoldAdminTextInputWidget(), help_text="Of `data`; empty for count."
    )

    class Meta:
        model = Meter
        fields: ClassVar = ["code", "contract", "unit", "name"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if not {"contract", "aggregation", "value_property"} <= cleaned.keys():
            return cleaned
        measure = {name: cleaned.get(name, "") for name in ("definition", "aggregation", "value_property")}
        try:
            meters.check_first(cleaned["contract"], MeterContent(**measure))
        except UnmeasurableError as error:
            for flaw in error.flaws:
                self.add_error(flaw.pointer.split("/")[1], flaw.detail)
        except ValidationError as error:
            self.add_error("value_property", error.messages)
        return cleaned


class StrictJsonField(forms.CharField):
    """JSON text, read as strictly as the API reads bodies."""

    widget = UnfoldAdminTextareaWidget

    def __init__(self, *, shape: type, rows: int = 4, **options: Any) -> None:
        self._shape = shape
        self._rows = rows
        super().__init__(widget=UnfoldAdminTextareaWidget(attrs={"rows": rows, "class": "bo-mono"}), **options)

    def write(self, value: Any) -> str:
        """Write a value as it is to be edited: laid out where there is room."""
        return exact_json.write_in_order(value).decode() if self._rows == 1 else exact_json.write_indented(value)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        try:
            document = parsing.read_strict_json(text.encode())
        except ValueError as error:
            raise forms.ValidationError(f"This is not usable JSON: {error}.") from error
        if not isinstance(document, self._shape):
            wanted = "an object" if self._shape is dict else "a list"
            raise forms.ValidationError(f"Write {wanted} in JSON.")
        return document


class VersionForm(BaseDialogForm):
    """The content of a contract's next version; it starts out as the latest one."""

    schema = StrictJsonField(shape=dict, rows=8, label="JSON Schema of data")
    billing_fields = StrictJsonField(shape=list, rows=1, initial="[]", help_text="What billing requires.")
    context_fields = StrictJsonField(shape=list, rows=1, initial="[]", help_text="Optional, for attribution.")
    valid_examples = StrictJsonField(shape=list, initial="[]", help_text="Data that must pass.")
    invalid_examples = StrictJsonField(
        shape=list, initial="[]", help_text='What must fail, and why: {"data", "code", "pointer"} each.'
    )
    accepts_past_days = forms.IntegerField(
        min_value=0, max_value=drafting.PAST_DAYS_MAX, initial=1826, widget=UnfoldAdminIntegerFieldWidget
    )
    accepts_future_seconds = forms.IntegerField(
        min_value=0, max_value=drafting.FUTURE_SECONDS_MAX, initial=300, widget=UnfoldAdminIntegerFieldWidget
    )

    def clean(self) -> dict[str, Any]:
        """Say what is wrong with the content where it was typed."""
        cleaned = super().clean() or {}
        for name in ("billing_fields", "context_fields"):
            if not all(isinstance(one, str) for one in cleaned.get(name, ())):
                self.add_error(name, "Write the names of properties, each in quotes.")
        if not self.errors:
            for flaw in drafting.find_unusable(self.draft()):
                self.add_error(flaw.pointer.split("/")[1], flaw.detail)
        return cleaned

    def draft(self) -> ContractDraft:
        """The form as a plain value."""
        return ContractDraft(**{name: self.cleaned_data[name] for name in drafting.CONTENT})


class NewVersionForm(VersionForm):
    """Filled with what the latest version says."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        contract = EventContract.objects.filter(pk=self.object_id).first()
        latest = contract.versions.order_by("-version").first() if contract else None
        if latest is None:
            return
        for name, field in self.fields.items():
            if isinstance(field, StrictJsonField):
                field.initial = field.write(getattr(latest, name))
            elif hasattr(latest, name):
                field.initial = getattr(latest, name)
