"""Disputes, the policy of their due times, and drills."""

from compliance.disputes.admin import disputes, drills, policies

__all__ = ["disputes", "drills", "policies"]
