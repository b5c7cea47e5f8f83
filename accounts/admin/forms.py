"""What the pages of keys, portal users and people ask for."""

from typing import Any, ClassVar

from django import forms
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from unfold.forms import BaseDialogForm, UserChangeForm, UserCreationForm
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from accounts import staff
from accounts.models import ApiKey, Customer, PortalUser, Scope


class ReasonForm(BaseDialogForm):
    """A reason that a colleague will understand a year from now."""

    reason = forms.CharField(
        min_length=5, max_length=1000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}), help_text="Kept for ever."
    )


class MoveExternalIdForm(BaseDialogForm):
    """Whom the id names from now on."""

    customer = forms.ModelChoiceField(Customer.objects.order_by("code"), widget=UnfoldAdminSelectWidget)


class OwnMailbox(forms.ModelForm):  # type: ignore[type-arg]  # Django's takes none at run time
    """One account per person: each has a mailbox that no colleague's account has."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "email" in self.fields:
            self.fields["email"].required = True

    def clean_email(self) -> str:
        """ValidationError where the mailbox is a colleague's; an addition after a plus makes no other mailbox."""
        address: str = self.cleaned_data["email"]
        owner = staff.owner_of_mailbox(address, besides=self.instance.pk)
        if owner is not None:
            raise forms.ValidationError(f"This mailbox is {owner.get_username()}'s. One person has one account.")
        return address


class NewPersonForm(OwnMailbox, UserCreationForm):
    """A new colleague."""


class PersonForm(OwnMailbox, UserChangeForm):
    """A colleague as they are."""


class ConfirmForm(BaseDialogForm):
    """No field: the decision itself, behind one deliberate click."""


class PasswordForm(BaseDialogForm):
    """A first or a new password for somebody else."""

    password = forms.CharField(
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        validators=[validate_password],
        help_text="Ten characters or more; pass it on by a safe way.",
    )


class NewKeyForm(forms.ModelForm):  # type: ignore[type-arg]  # Django's takes none at run time
    """A key acts as one person; an administrator may choose who, everybody else makes their own."""

    scopes = forms.MultipleChoiceField(
        choices=Scope.choices, widget=UnfoldAdminCheckboxSelectMultipleWidget, initial=[Scope.EVENTS_WRITE]
    )
    user = forms.ModelChoiceField(
        User.objects.none(), label="Acts as", widget=UnfoldAdminSelectWidget, help_text="Its roles bound the key."
    )

    class Meta:
        model = ApiKey
        fields: ClassVar[list[str]] = ["name", "user", "scopes"]
        widgets: ClassVar[dict[str, Any]] = {"name": UnfoldAdminTextInputWidget}

    actor: ClassVar[Any]  # set by the page, for its request

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.filter(is_staff=True, is_active=True)
        choice = people if self.actor.is_superuser else people.filter(pk=self.actor.pk)
        user: Any = self.fields["user"]
        user.queryset, user.initial = choice, self.actor.pk


class NewPortalUserForm(forms.ModelForm):  # type: ignore[type-arg]  # as above
    """A person of a customer, with the password they sign in with first."""

    username = forms.CharField(max_length=150, widget=UnfoldAdminTextInputWidget)
    first_name = forms.CharField(max_length=150, required=False, widget=UnfoldAdminTextInputWidget)
    last_name = forms.CharField(max_length=150, required=False, widget=UnfoldAdminTextInputWidget)
    email = forms.EmailField(required=False, widget=UnfoldAdminEmailInputWidget)
    password = forms.CharField(
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        validators=[validate_password],
        help_text="Ten characters or more; they can change it in the portal.",
    )

    class Meta:
        model = PortalUser
        fields: ClassVar[list[str]] = ["customer"]

    def clean_username(self) -> str:
        """Names are unique among all sign-ins, staff included."""
        username: str = self.cleaned_data["username"]
        if User.objects.filter(username__iexact=username).exists():
            raise forms.ValidationError("This name is taken.", code="taken")
        User._meta.get_field("username").run_validators(username)
        return username
