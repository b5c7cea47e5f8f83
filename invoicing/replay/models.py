"""Replay sets with the versions of their content, whether they are required, and every run of them."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts import validators
from core.models import APPEND_ONLY, AuditEntry
from invoicing.replay.rules import arrival, includes

PERSON = settings.AUTH_USER_MODEL
NO_TRUNCATE = APPEND_ONLY[1]
CANDIDATES = {
    "price_version": "Price version",
    "fee_program_version": "Version of a fee program",
    "contract_version": "Version of an event contract",
    "policy": "Trigger policy",
}


class ReplaySet(models.Model):
    """A name for a piece of history, or of made-up history, that is run again; its content has versions."""

    name = models.CharField(max_length=60, unique=True, validators=[validators.CODE])
    program = models.CharField(
        max_length=60, validators=[validators.CODE], help_text="The program whose customers it is about."
    )
    description = models.TextField(blank=True)
    created_by = models.ForeignKey(PERSON, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return self.name


class ReplaySetVersion(models.Model):
    """What a set holds; the latest version counts, and none of them ever changes."""

    class Origin(models.TextChoices):
        HISTORY = "history", "Taken from closed periods"
        UPLOAD = "upload", "Uploaded"

    replay_set = models.ForeignKey(ReplaySet, on_delete=models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField()
    origin = models.CharField(max_length=10, choices=Origin.choices)
    content = models.BinaryField(help_text="The canonical JSON, compressed (zlib).")
    content_hash = models.CharField(max_length=64, help_text="SHA-256 of the canonical JSON.")
    includes = models.JSONField(
        help_text="How many retries, added retries, late arrivals, plan changes and threshold crossings."
    )
    holds = models.JSONField(help_text="Ids of the charges, fee programs and contracts in it, and the customers.")
    event_count = models.PositiveIntegerField()
    document_count = models.PositiveIntegerField()
    orders = models.PositiveIntegerField(
        default=arrival.ORDERS_DEFAULT, help_text="In how many shuffled orders of arrival the same has to come out."
    )
    notes = models.JSONField(default=list, help_text="What could not be taken along, in words.")
    created_by = models.ForeignKey(PERSON, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["replay_set", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["replay_set", "version"], name="replay_version_once"),
            models.CheckConstraint(condition=Q(origin__in=["history", "upload"]), name="replay_version_origin"),
            models.CheckConstraint(
                condition=Q(orders__gte=arrival.ORDERS_MIN, orders__lte=arrival.ORDERS_MAX),
                name="replay_version_orders",
            ),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.replay_set} v{self.version}"

    @property
    def retries_added(self) -> int:
        """Of its retries those that nobody sent; sets from history had no others before they were counted apart."""
        before = self.includes["retries"] if self.origin == self.Origin.HISTORY else 0
        return int(self.includes.get(includes.ADDED, before))

    @property
    def shows(self) -> list[tuple[str, str]]:
        """What it includes of what goes wrong in billing, and how many of each, in words."""
        found = self.includes | {includes.ADDED: self.retries_added}
        return [(words, includes.say(found, name)) for name, words in includes.SHOWN.items()]


class ReplayRequirement(models.Model):
    """From when on a set has to hold before anything of its program counts, or no longer; the last one says."""

    replay_set = models.ForeignKey(ReplaySet, on_delete=models.PROTECT, related_name="requirements")
    is_required = models.BooleanField()
    statement = models.TextField(
        blank=True, help_text="Why it is no longer required, or why the required sets need not show everything."
    )
    decided_by = models.ForeignKey(PERSON, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()
    audit_entry = models.OneToOneField(AuditEntry, on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["replay_set", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(is_required=True) | ~Q(statement=""), name="replay_requirement_ends_with_a_reason"
            )
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.replay_set} {'required' if self.is_required else 'not required'}"


class ReplayRun(models.Model):
    """One run of one content: asked for, carried out in the background, ended once, and kept as it is."""

    class Verdict(models.TextChoices):
        PASSED = "passed", "As expected"
        FAILED = "failed", "Differs"
        BROKEN = "broken", "Could not be run"

    version = models.ForeignKey(ReplaySetVersion, on_delete=models.PROTECT, related_name="runs")
    orders = models.PositiveIntegerField(default=0, help_text="In how many shuffled orders of arrival it runs as well.")
    candidate_kind = models.CharField(
        max_length=30, blank=True, choices=list(CANDIDATES.items()), help_text="What is put in the place of its own."
    )
    candidate_id = models.PositiveBigIntegerField(null=True)
    asked_by = models.ForeignKey(PERSON, null=True, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    done = models.PositiveIntegerField(default=0, help_text="Steps carried out so far.")
    total = models.PositiveIntegerField(default=0)
    finished_at = models.DateTimeField(null=True)
    verdict = models.CharField(max_length=10, blank=True, choices=Verdict.choices)
    duration_ms = models.PositiveBigIntegerField(null=True)
    code_version = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the program that ran.")
    migration_state = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the applied migrations.")
    result_hash = models.CharField(max_length=64, blank=True, help_text="SHA-256 of all that came out.")
    report = models.JSONField(default=dict)
    problem = models.TextField(blank=True, help_text="Why it could not be run.")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(done__lte=F("total")), name="replay_run_done"),
            models.CheckConstraint(
                condition=Q(verdict="", finished_at=None)
                | Q(verdict__in=["passed", "failed"], finished_at__isnull=False, problem="") & ~Q(result_hash="")
                | Q(verdict="broken", finished_at__isnull=False) & ~Q(problem=""),
                name="replay_run_verdict",
            ),
            models.CheckConstraint(
                condition=Q(candidate_kind="", candidate_id=None)
                | Q(candidate_kind__in=list(CANDIDATES), candidate_id__isnull=False),
                name="replay_run_candidate",
            ),
            models.CheckConstraint(condition=Q(orders__lte=100), name="replay_run_orders"),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="question_is_fixed",
                fields=["version", "orders", "candidate_kind", "candidate_id", "asked_by", "asked_at"],
            ),
            pgtrigger.Protect(
                name="finished_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__finished_at__isnull=False),
            ),
            pgtrigger.Protect(
                name="begins_unfinished",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Q(new__finished_at__isnull=False),
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"Run {self.pk} of {self.version}"


class ReplayPlay(models.Model):
    """One play of a run, kept as soon as it came out: as it was delivered, in a shuffled order, or with a candidate."""

    class What(models.TextChoices):
        FIRST = "first", "As it was delivered"
        ORDER = "order", "In a shuffled order"
        CANDIDATE = "candidate", "With the other version"

    run = models.ForeignKey(ReplayRun, on_delete=models.PROTECT, related_name="plays")
    what = models.CharField(max_length=10, choices=What.choices)
    seed = models.PositiveIntegerField(default=0, help_text="Of the shuffled order.")
    result_hash = models.CharField(max_length=64, help_text="SHA-256 of the canonical result.")
    code_version = models.CharField(max_length=64, help_text="SHA-256 of the program that played.")
    content = models.BinaryField(
        null=True, help_text="The result, compressed (zlib); none for an order that gave what the first play gave."
    )

    class Meta:
        ordering = ["run", "id"]
        constraints = [
            models.UniqueConstraint(fields=["run", "what", "seed"], name="replay_play_once"),
            models.CheckConstraint(
                condition=Q(what="order", seed__gte=1)
                | Q(what__in=["first", "candidate"], seed=0, content__isnull=False),
                name="replay_play_what",
            ),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.run}: {self.get_what_display().lower()}"
