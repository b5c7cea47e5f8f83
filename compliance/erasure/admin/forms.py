"""What the dialogs of erasure ask for."""

from django import forms
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts import validators
from compliance.erasure.models import ErasureRequest
from compliance.erasure.rules.refusals import REFUSALS


class AskForm(BaseDialogForm):
    """Who, on which ground, and under which number the letter lies. No names: this is kept for ever."""

    kind = forms.ChoiceField(choices=ErasureRequest.Kind.choices, widget=UnfoldAdminSelectWidget)
    code = forms.CharField(
        max_length=150,
        widget=UnfoldAdminTextInputWidget,
        help_text="The code of the customer or payee, or the name that the person signs in with.",
    )
    ground = forms.ChoiceField(choices=ErasureRequest.Ground.choices, widget=UnfoldAdminSelectWidget)
    reference = forms.CharField(
        max_length=60,
        validators=[validators.CODE],
        widget=UnfoldAdminTextInputWidget,
        help_text="The number of the letter or ticket. No names: it is kept for ever.",
    )


class RetentionForm(BaseDialogForm):
    """How long invoices are kept, from when on, and which law says so."""

    country = forms.CharField(
        max_length=2,
        required=False,
        validators=[validators.check_country],
        widget=UnfoldAdminTextInputWidget,
        help_text="Of the seller, such as DE; empty for all others.",
    )
    years = forms.IntegerField(
        min_value=0,
        max_value=100,
        widget=UnfoldAdminTextInputWidget,
        help_text="Whole calendar years after the year of issue.",
    )
    effective_at = forms.DateTimeField(label="In force from (UTC)", widget=UnfoldAdminTextInputWidget)
    basis = forms.CharField(max_length=1000, widget=UnfoldAdminTextInputWidget, help_text="The law, and who says so.")


class ApproveForm(BaseDialogForm):
    """One deliberate click, with the number that is on the page."""

    understood = forms.BooleanField(label="I read what goes and what stays; it cannot be taken back.")


class RefuseForm(BaseDialogForm):
    """Why not, as a word from a list."""

    refusal = forms.ChoiceField(label="Why not", choices=REFUSALS, widget=UnfoldAdminSelectWidget)
