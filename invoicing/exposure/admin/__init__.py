"""Exposures and what fee programs will have cost: read only."""

from invoicing.exposure.admin import costs, exposures

__all__ = ["costs", "exposures"]
