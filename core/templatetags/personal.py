"""What is kept under somebody's key, as a page may show it."""

from typing import Any

from django import template

from core import personal_keys

register = template.Library()


@register.filter
def opened(value: Any) -> Any:
    """A sealed text as it was, "erased on …" once its key is gone, and anything else as it stands."""
    return personal_keys.open_within(value)
