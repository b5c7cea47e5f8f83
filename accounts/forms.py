"""Sign-in forms that tell a person when a locked name may try again."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from unfold.forms import AuthenticationForm as UnfoldAuthenticationForm

from accounts import sign_in


class TellsOfLock:
    """Mix in before an AuthenticationForm; the answer is the same whether the name exists or not."""

    cleaned_data: dict[str, Any]

    def get_invalid_login_error(self) -> ValidationError:
        until = sign_in.locked_until(name=self.cleaned_data.get("username", ""), at=timezone.now())
        if until is None:
            error: ValidationError = super().get_invalid_login_error()  # type: ignore[misc]  # the form's own
            return error
        detail = f"Too many wrong passwords for this name. Try again after {until:%H:%M} UTC, or ask an administrator."
        return ValidationError(detail, code="locked")


class BackOfficeSignInForm(TellsOfLock, UnfoldAuthenticationForm):
    """The sign-in of the back office."""
