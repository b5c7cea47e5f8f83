"""What the dialogs about replay sets ask for."""

from typing import Any

from django import forms
from django.db.models import Model
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from core.errors import DomainError
from invoicing.replay import candidate
from invoicing.replay.models import CANDIDATES
from invoicing.replay.rules.arrival import ORDERS_DEFAULT, ORDERS_MAX, ORDERS_MIN
from invoicing.replay.rules.content import BYTES_MAX

ORDERS_OF_A_SET = f"In how many its runs play it. Empty: as in its last version, {ORDERS_DEFAULT} for a new set."


def _orders(*, label: str, least: int, help_text: str) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        required=False,
        min_value=least,
        max_value=ORDERS_MAX,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text=help_text,
    )


class MakeForm(BaseDialogForm):
    """A name, and of whom."""

    name = forms.SlugField(
        label="Name",
        max_length=60,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Of a new set, or of one that gets its next version.",
    )
    customers = forms.CharField(
        label="Customers",
        widget=UnfoldAdminTextInputWidget(),
        help_text="Codes, separated by blanks or commas; all of one program.",
    )
    until = forms.DateTimeField(
        label="Periods that ended by (UTC)",
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local", "step": "1"}),
        help_text="Leave it empty for everything that was drafted.",
    )
    orders = _orders(label="Shuffled orders of arrival", least=ORDERS_MIN, help_text=ORDERS_OF_A_SET)
    description = forms.CharField(
        label="What it is for", required=False, max_length=1000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2})
    )

    def codes(self) -> list[str]:
        return list(self.cleaned_data["customers"].replace(",", " ").split())


class UploadForm(forms.Form):
    """A name, and a file in the documented shape."""

    name = forms.SlugField(
        max_length=60,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Of a new set, or of one that gets its next version.",
    )
    file = forms.FileField(
        label="Content (JSON)",
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": "application/json,.json"}),
        help_text=f"In the shape in which a set is written out; at most {BYTES_MAX // 2**20} MiB.",
    )
    orders = _orders(label="Shuffled orders of arrival", least=ORDERS_MIN, help_text=ORDERS_OF_A_SET)
    description = forms.CharField(
        label="What it is for", required=False, max_length=1000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2})
    )

    def clean_file(self) -> bytes:
        sent = self.cleaned_data["file"]
        if sent.size > BYTES_MAX:
            raise forms.ValidationError(f"A set is at most {BYTES_MAX // 2**20} MiB; take fewer events.")
        return bytes(sent.read())


class RunForm(BaseDialogForm):
    """How often, and with what."""

    orders = _orders(
        label="Shuffled orders of arrival",
        least=0,
        help_text="The same has to come out of every one, byte for byte. Empty: as many as the set says. 0: none.",
    )
    kind = forms.ChoiceField(
        label="With a version in the place of its own",
        required=False,
        choices=[("", "Nothing: as it was"), *CANDIDATES.items()],
        widget=UnfoldAdminSelectWidget(),
    )
    number = forms.IntegerField(
        label="Its number",
        required=False,
        min_value=1,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="The number at the end of the address of its page.",
    )
    version: Model | None = None

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        kind, number = given.get("kind"), given.get("number")
        if bool(kind) != bool(number):
            self.add_error("number", "Say what it is and its number, or neither.")
        elif kind and number:
            try:
                self.version = candidate.find_version(kind=kind, number=number)
            except DomainError as error:
                self.add_error("number", error.message)
        return dict(given)


class RequireForm(BaseDialogForm):
    """Why this is enough, where it is not plain."""

    statement = forms.CharField(
        label="Statement",
        required=False,
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=(
            "Needed where the required sets of the program do not show retries, late arrivals, plan changes and"
            " threshold crossings between them: why that is enough. Kept in the audit chain under your name."
        ),
    )


class ReleaseForm(BaseDialogForm):
    """Why it is no longer required."""

    statement = forms.CharField(
        label="Why it is no longer required",
        min_length=10,
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="Kept in the audit chain under your name.",
    )
