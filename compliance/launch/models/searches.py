"""Every invariant searched for one check: how far it is, and what each search found."""

from django.db import models

from compliance.launch.models.checks import LaunchCheck
from core.models import SearchRow, only_while


class InvariantSearch(SearchRow):
    """One invariant of one launch check."""

    run = models.ForeignKey(LaunchCheck, on_delete=models.PROTECT, related_name="searches")

    class Meta(SearchRow.Meta):
        triggers = [*SearchRow.Meta.triggers, only_while("launch_launchcheck")]
