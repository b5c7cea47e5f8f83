"""Access, firings, reviews and credit limits."""

from invoicing.charge_controls.admin import access, firings, limits, reviews

__all__ = ["access", "firings", "limits", "reviews"]
