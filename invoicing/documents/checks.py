"""A start without Pango says which packages to install, instead of failing at the first invoice."""

import ctypes
import importlib
from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, register

APT_PANGO = "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
_LIBRARIES = ("libpango-1.0.so.0", "libpangoft2-1.0.so.0", "libharfbuzz-subset.so.0")


@register()
def check_pango(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:  # noqa: ARG001  Django's signature
    """Asks the loader first: importing WeasyPrint takes more than a second, and each command would wait for it."""
    if all(_loads(name) for name in _LIBRARIES):
        return []
    try:
        importlib.import_module("weasyprint")  # elsewhere the libraries may have other names
    except OSError:
        return [Error("PDFs cannot be made: Pango is missing.", hint=f"Run: {APT_PANGO}", id="documents.E001")]
    return []


def _loads(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True
