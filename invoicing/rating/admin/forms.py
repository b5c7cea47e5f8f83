"""What the pages of fee programs ask for."""

import json
from collections.abc import Sequence
from typing import Any

from django import forms
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from accounts import validators
from core.http import parsing
from invoicing.pricing import fee_programs
from invoicing.pricing.models import FeeProgramVersion
from invoicing.pricing.rules import fee_terms
from invoicing.pricing.rules.params import ParamsError

EXAMPLE = {"tables": [{"currency": "USD", "rate_percent": "2.9", "fixed": "0.30"}], "failed_statuses": ["failed"]}


class FeeVersionForm(BaseDialogForm):
    """The next figures of a program; they start from its latest."""

    terms = forms.CharField(
        label="Figures and policies",
        max_length=200_000,
        help_text="Numbers as texts. Each table: currency, country (or none), rate_percent, fixed, per_account,"
        " minimum, cap, percentage_minimum, surcharges.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 14, "spellcheck": "false"}),
    )
    source = forms.CharField(
        max_length=300, help_text="Where these figures stand.", widget=UnfoldAdminTextInputWidget()
    )
    source_date = forms.DateField(label="Read there on", widget=UnfoldAdminSingleDateWidget(attrs={"type": "date"}))
    source_kind = forms.ChoiceField(choices=FeeProgramVersion.SourceKind.choices, widget=UnfoldAdminSelectWidget())
    note = forms.CharField(max_length=300, required=False, widget=UnfoldAdminTextInputWidget())
    effective_at = forms.DateTimeField(
        label="In force from (UTC)",
        help_text="Periods that are billed already keep their figures, also where this lies in the past.",
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local", "step": "1"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        last = FeeProgramVersion.objects.filter(program=self.object_id).order_by("version").last()
        shown = EXAMPLE if last is None else fee_terms.write_terms(fee_programs.read_terms(last))
        self.fields["terms"].initial = json.dumps(shown, indent=2)

    def clean_terms(self) -> Any:
        """Say what is wrong where it was typed."""
        try:
            document = parsing.read_strict_json(self.cleaned_data["terms"].encode())
            fee_terms.parse_terms(document)
        except ParamsError as error:
            raise forms.ValidationError([f"{each.pointer}: {each.detail}" for each in error.found[:10]]) from error
        except ValueError as error:
            raise forms.ValidationError(f"This is not JSON: {error}.") from error
        return document


class TryFeeForm(forms.Form):
    """One transaction to try a version on."""

    version = forms.ChoiceField(widget=UnfoldAdminSelectWidget())
    currency = forms.ChoiceField(widget=UnfoldAdminSelectWidget())
    country = forms.CharField(
        required=False, max_length=2, validators=[validators.check_country], widget=UnfoldAdminTextInputWidget()
    )
    amount = forms.DecimalField(
        min_value=0, max_digits=15, decimal_places=4, widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"})
    )
    flags = forms.MultipleChoiceField(
        label="Surcharges", required=False, widget=forms.CheckboxSelectMultiple(attrs={"class": "bo-checks"})
    )
    is_net = forms.BooleanField(label="This is to be left after the fee", required=False, widget=UnfoldBooleanWidget())

    def __init__(self, data: Any = None, *, versions: Sequence[FeeProgramVersion]) -> None:
        super().__init__(data)
        terms = [fee_programs.read_terms(version) for version in versions]
        tables = [table for each in terms for table in each.tables]
        codes = dict.fromkeys(one.code for table in tables for one in table.surcharges)
        currencies = dict.fromkeys(table.currency for table in tables)
        choices: Any = self.fields
        choices["version"].choices = [
            (each.pk, f"version {each.version}, {each.get_status_display().lower()}") for each in versions
        ]
        choices["currency"].choices = [(code, code) for code in currencies]
        choices["flags"].choices = [(code, code.replace("_", " ")) for code in codes]
        if not codes:
            del self.fields["flags"]

    def clean(self) -> dict[str, Any]:
        """Without surcharges to choose none was chosen."""
        return {"flags": [], **(super().clean() or {})}
