"""A stretch of days, as people choose it."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django import forms


class DaysForm(forms.Form):
    """First and last day, both inside; without a choice from the month before this one until today."""

    first = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(label="to", widget=forms.DateInput(attrs={"type": "date"}))

    @classmethod
    def over(cls, chosen: Mapping[str, Any], *, today: date) -> "DaysForm":
        last = today.replace(day=1) - timedelta(days=1)
        before = {"first": last.replace(day=1).isoformat(), "last": today.isoformat()}
        return cls({**before, **{name: chosen[name] for name in before if name in chosen}})

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("first") and cleaned.get("last") and cleaned["last"] < cleaned["first"]:
            self.add_error("last", "The last day lies before the first.")
        return cleaned

    @property
    def start(self) -> date:
        first: date = self.cleaned_data["first"]
        return first

    @property
    def end(self) -> date:
        """The day after the last one; days are asked for half-open."""
        last: date = self.cleaned_data["last"]
        return last + timedelta(days=1)

    @property
    def chosen(self) -> str:
        return f"{self.cleaned_data['first']}-to-{self.cleaned_data['last']}"
