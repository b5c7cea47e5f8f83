"""Field validators that say what a usable value looks like."""

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator

from accounts.rules import fields

CODE = RegexValidator(
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}\Z", "Use 1 to 60 letters, digits, dots, dashes or underscores."
)

EXTERNAL_ID = RegexValidator(r"^[!-~]([ -~]{0,198}[!-~])?\Z", "Use 1 to 200 printable ASCII characters.")


def check_country(code: str) -> None:
    if not fields.is_country(code):
        raise ValidationError(f"{code!r} is not a country of ISO 3166-1, such as DE or US.", code="country")


def check_currency(code: str) -> None:
    if not fields.is_currency(code):
        raise ValidationError(f"{code!r} is not a currency of ISO 4217, such as EUR or USD.", code="currency")


def check_time_zone(name: str) -> None:
    if not fields.is_time_zone(name):
        raise ValidationError(f"{name!r} is not a time zone, such as Europe/Berlin or UTC.", code="time_zone")
