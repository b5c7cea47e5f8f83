"""The launch checklist in the back office."""

from compliance.launch.admin import checklists, checks, decisions, drills, samples

__all__ = ["checklists", "checks", "decisions", "drills", "samples"]
