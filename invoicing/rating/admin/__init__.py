"""Price versions and fee programs with worked examples, which only rating can compute."""

from invoicing.rating.admin import fees, prices

__all__ = ["fees", "prices"]
