"""Price versions with worked examples, which only rating can compute."""

from invoicing.rating.admin import prices

__all__ = ["prices"]
