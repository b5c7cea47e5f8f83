"""What the dialogs of meters ask for."""

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.db.models import QuerySet
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from metering.admin.forms import REASON_LENGTH_MIN, StrictJsonField
from metering.meters import KEEPERS, promise_of
from metering.models import Aggregation, Meter, MeterVersion
from metering.rules import measures
from metering.rules.measures import MeterContent


def _words(rows: int, **options: Any) -> forms.CharField:
    return forms.CharField(widget=UnfoldAdminTextareaWidget(attrs={"rows": rows}), **options)


def _name(**options: Any) -> forms.CharField:
    return forms.CharField(required=False, max_length=120, widget=UnfoldAdminTextInputWidget(), **options)


def _choice(choices: Any) -> forms.ChoiceField:
    return forms.ChoiceField(choices=choices, widget=UnfoldAdminSelectWidget())


class NewMeterVersionForm(BaseDialogForm):
    """The content of a meter's next version; it starts out as the latest approved one."""

    effective_at = forms.DateTimeField(
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "2027-01-01 00:00"}), help_text="From when on, in UTC."
    )
    definition = _words(2, help_text="Words a customer would understand.")
    exclusions = _words(1, required=False, help_text="What is not counted.")
    aggregation = _choice(Aggregation.choices)
    value_property = _name(help_text="Of `data`; empty for count.")
    operation_property = _name(help_text="For unique counts: says add or remove.")
    is_recurring = forms.BooleanField(
        required=False, widget=UnfoldBooleanSwitchWidget(), help_text="What was reached lasts into the next window."
    )
    filters = StrictJsonField(
        shape=list,
        initial="[]",
        help_text='{"property", "operator": "equals", "value"}, "in" with "values", or "range".',
    )
    group_by = StrictJsonField(shape=list, rows=1, initial="[]", help_text="Properties that usage may be split by.")
    negative_total = _choice(MeterVersion.NegativeTotal.choices)
    tie_break = _choice(MeterVersion.TieBreak.choices)
    decimals = forms.IntegerField(min_value=0, max_value=18, widget=UnfoldAdminIntegerFieldWidget)
    rounding = _choice(MeterVersion.Rounding.choices)
    reason = _words(2, min_length=REASON_LENGTH_MIN, max_length=1000, help_text="Why it changes.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.meter = Meter.objects.select_related("contract").filter(pk=self.object_id).first()
        approved = MeterVersion.objects.filter(meter=self.object_id, status=MeterVersion.Status.APPROVED)
        latest = approved.order_by("-effective_at", "-version").first()
        for name in measures.CONTENT if latest else ():
            field, value = self.fields[name], getattr(latest, name)
            field.initial = field.write(value) if isinstance(field, StrictJsonField) else value

    def clean(self) -> dict[str, Any]:
        """Say what cannot be measured where it was typed."""
        cleaned = super().clean() or {}
        if self.errors or self.meter is None:
            return cleaned
        for flaw in measures.find_flaws(self.content(), promise=promise_of(self.meter.contract)):
            self.add_error(flaw.pointer.split("/")[1], flaw.detail)
        return cleaned

    def content(self) -> MeterContent:
        """The form as a plain value."""
        return MeterContent(**{name: self.cleaned_data[name] for name in measures.CONTENT})


def _keepers() -> QuerySet[User]:
    return User.objects.filter(is_active=True, groups__name__in=[str(role) for role in KEEPERS]).distinct()


class HandOverForm(BaseDialogForm):
    """Who answers for the meter from now on."""

    to = forms.ModelChoiceField(User.objects.none(), widget=UnfoldAdminSelectWidget())
    reason = _words(2, min_length=REASON_LENGTH_MIN, max_length=1000)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].queryset = _keepers()
