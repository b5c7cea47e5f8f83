"""What each dialog asks for."""

import json
from typing import Any

from django import forms
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from accounts import validators
from invoicing.policy.models import ROLES, TriggerPolicy
from invoicing.policy.rules import terms as policy_terms


class ProposalForm(BaseDialogForm):
    """The next version of a program's policy."""

    program = forms.CharField(max_length=60, validators=[validators.CODE], widget=UnfoldAdminTextInputWidget())
    effective_at = forms.DateTimeField(
        label="In force from (UTC)", required=False, widget=UnfoldAdminTextInputWidget(), help_text="Empty: at once."
    )
    terms = forms.JSONField(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 8}),
        help_text="What it decides, as JSON; what is left out is the normal cycle.",
    )
    reason = forms.CharField(
        max_length=2000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}), help_text="Why it is proposed."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        latest = TriggerPolicy.objects.order_by("-pk").first()
        terms = policy_terms.write_terms(policy_terms.SILENT) if latest is None else latest.terms
        program = "standard" if latest is None else latest.program
        self.initial = {"program": program, "terms": json.dumps(terms, indent=2)}


class SignatureForm(BaseDialogForm):
    """In which role; what is signed is what the page showed."""

    role = forms.ChoiceField(choices=ROLES, widget=UnfoldAdminSelectWidget())
    content_hash = forms.CharField(
        label="Hash of what you read", max_length=64, widget=UnfoldAdminTextInputWidget(attrs={"readonly": True})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        text = str(self.object_id)
        policy = TriggerPolicy.objects.filter(pk=int(text)).first() if text.isdecimal() else None
        if policy is not None:
            self.initial = {"content_hash": policy.content_hash}


class WithdrawalForm(BaseDialogForm):
    """Why."""

    reason = forms.CharField(max_length=2000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}))
