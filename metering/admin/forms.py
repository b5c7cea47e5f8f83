"""What the dialogs of metering ask for."""

import json
from typing import Any

from django import forms
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextareaWidget

from core.http import parsing
from metering.models import EventContract
from metering.rules.drafting import ContractDraft

REASON_LENGTH_MIN = 5


class ReasonForm(BaseDialogForm):
    """Why, for whoever reads this in a year."""

    reason = forms.CharField(
        min_length=REASON_LENGTH_MIN, max_length=1000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )


class ConfirmForm(BaseDialogForm):
    """No field: the decision itself, behind one deliberate click."""


class StrictJsonField(forms.CharField):
    """JSON text, read as strictly as the API reads bodies."""

    widget = UnfoldAdminTextareaWidget

    def __init__(self, *, shape: type, rows: int = 4, **options: Any) -> None:
        self._shape = shape
        super().__init__(widget=UnfoldAdminTextareaWidget(attrs={"rows": rows, "class": "bo-mono"}), **options)

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
    invalid_examples = StrictJsonField(shape=list, initial="[]", help_text="Data that must fail.")
    accepts_past_days = forms.IntegerField(
        min_value=0, max_value=36_500, initial=1826, widget=UnfoldAdminIntegerFieldWidget
    )
    accepts_future_seconds = forms.IntegerField(
        min_value=0, max_value=86_400, initial=300, widget=UnfoldAdminIntegerFieldWidget
    )

    def draft(self) -> ContractDraft:
        """The form as a plain value."""
        given = {name: value for name, value in self.cleaned_data.items() if not name.startswith("_")}
        return ContractDraft(**given)


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
                field.initial = pretty(getattr(latest, name))
            elif hasattr(latest, name):
                field.initial = getattr(latest, name)


def pretty(value: Any) -> str:
    """JSON for people."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)
