"""The sign-in form of the portal."""

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError

from accounts.forms import TellsOfLock
from invoicing.portal import access


class SignInForm(TellsOfLock, AuthenticationForm):
    """Lets in whoever has a place to go: people of a customer, and staff, who go on to the back office."""

    def confirm_login_allowed(self, user: Any) -> None:
        super().confirm_login_allowed(user)
        if not user.is_staff and access.find_customer(user) is None:
            raise ValidationError(
                "This sign-in belongs to no customer yet. Ask your contact at billing to connect it.",
                code="no_customer",
            )
