"""The launch checklist in the back office."""

from compliance.launch.admin import checklists, checks, drills, samples

__all__ = ["checklists", "checks", "drills", "samples"]
