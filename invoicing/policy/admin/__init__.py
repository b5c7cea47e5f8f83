"""Pages of the trigger policies."""

from invoicing.policy.admin import policies

__all__ = ["policies"]
