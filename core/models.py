"""Jobs, the audit chain and stored answers to idempotent calls."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

APPEND_ONLY = (
    pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
    # Protect cannot do this one: it looks for rows, and TRUNCATE shows a trigger none.
    pgtrigger.Trigger(
        name="no_truncate",
        operation=pgtrigger.Truncate,
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        func="RAISE EXCEPTION 'pgtrigger: Cannot truncate % table', TG_TABLE_NAME;",
    ),
)


class Job(models.Model):
    """A piece of background work: committed with its cause, leased by a worker, attempts counted before the work."""

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        LEASED = "leased", "Running"
        DONE = "done", "Done"
        DEAD = "dead", "Given up"

    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=200, help_text="What the work is about; one open job per kind and key.")
    arguments = models.JSONField(default=dict, help_text="Ids only.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveIntegerField(default=0)
    attempts_max = models.PositiveIntegerField(default=3)
    fence = models.PositiveBigIntegerField(
        default=0, help_text="Grows with every lease; an older holder cannot finish."
    )
    run_after = models.DateTimeField()
    leased_until = models.DateTimeField(null=True)
    leased_by = models.CharField(max_length=100, blank=True, help_text="The worker that holds or last held the lease.")
    enqueued_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key"], condition=Q(state__in=["queued", "leased"]), name="core_job_one_open"
            ),
            models.CheckConstraint(condition=Q(state__in=["queued", "leased", "done", "dead"]), name="core_job_state"),
            models.CheckConstraint(
                condition=Q(state="leased", leased_until__isnull=False) | (~Q(state="leased") & Q(leased_until=None)),
                name="core_job_lease",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["done", "dead"], finished_at__isnull=False)
                | (Q(state__in=["queued", "leased"]) & Q(finished_at=None)),
                name="core_job_finished",
            ),
        ]
        indexes = [models.Index(fields=["run_after"], condition=Q(state__in=["queued", "leased"]), name="core_job_due")]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class Recurrence(models.Model):
    """When a kind of recurring work is due next."""

    kind = models.CharField(max_length=60, primary_key=True)
    due_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.kind


class KnownInstant(models.Model):
    """An instant as of which somebody reads agreements until it is released (`knowing`)."""

    reader = models.CharField(max_length=80, help_text="Who reads, such as close:42.")
    known_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["known_at"], condition=Q(released_at=None), name="core_knowninstant_open")]
        triggers = [
            pgtrigger.ReadOnly(name="instant_is_fixed", fields=["reader", "known_at"]),
            pgtrigger.Protect(
                name="released_once", operation=pgtrigger.Update, condition=pgtrigger.Q(old__released_at__isnull=False)
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            APPEND_ONLY[1],
        ]

    def __str__(self) -> str:
        return f"{self.reader} as known at {self.known_at.isoformat()}"


class SearchRow(models.Model):
    """One invariant of one run of searches (`searching`): written down first, so that one that was killed is known.

    Whoever keeps such rows gives them a key `run`, by the name of `searches`, and the triggers of their run.
    """

    class Outcome(models.TextChoices):
        CLEAN = "clean", "Nothing offends it"
        BROKEN = "broken", "Something offends it"
        INTERRUPTED = "interrupted", "Not searched to the end"

    number = models.PositiveIntegerField()
    name = models.CharField(max_length=300)
    attempts = models.PositiveIntegerField(default=1)
    begun_at = models.DateTimeField(help_text="Of the last attempt.")
    outcome = models.CharField(max_length=20, blank=True, choices=Outcome.choices, help_text="Empty: being searched.")
    count = models.PositiveIntegerField(null=True, help_text="How many offenders there are.")
    offenders = models.JSONField(default=list, help_text="The first of them.")
    why = models.TextField(blank=True, help_text="Why it was interrupted.")
    duration_ms = models.PositiveBigIntegerField(null=True)
    proof_hash = models.CharField(max_length=64, blank=True, help_text="SHA-256 of what was found.")

    class Meta:
        abstract = True
        verbose_name_plural = "invariant searches"
        ordering = ["run", "number", "name"]
        constraints = [
            models.UniqueConstraint(fields=["run", "number", "name"], name="%(app_label)s_search_once"),
            models.CheckConstraint(
                condition=Q(outcome="", count=None, why="", proof_hash="")
                | Q(outcome="interrupted", count=None, proof_hash="") & ~Q(why="")
                | Q(outcome="clean", count=0, why="", proof_hash__regex="^[0-9a-f]{64}$")
                | Q(outcome="broken", count__gt=0, why="", proof_hash__regex="^[0-9a-f]{64}$"),
                name="%(app_label)s_search_outcome",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="question_is_fixed", fields=["run", "number", "name"]),
            pgtrigger.Protect(
                name="found_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__outcome__in=["clean", "broken"]),
            ),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            APPEND_ONLY[1],
        ]

    def __str__(self) -> str:
        return self.name


def only_while(run_table: str) -> pgtrigger.Trigger:
    """Rows of a run are written while it is not finished."""
    return pgtrigger.Trigger(
        name="while_it_runs",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.Update,
        func=f"""
    PERFORM 1 FROM {run_table} WHERE id = NEW.run_id AND finished_at IS NULL FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'check % is finished', NEW.run_id USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
""",
    )


class WorkerHeartbeat(models.Model):
    """When each worker process last did a round; a stale one is restarted by its supervisor."""

    name = models.CharField(max_length=100, primary_key=True)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class PersonalKey(models.Model):
    """What is kept of one person lies under one such key; once it is destroyed nothing opens it, wherever it lies."""

    master = models.CharField(max_length=16, help_text="Which master key wraps it; that one is not in the database.")
    wrapped = models.BinaryField(null=True, help_text="AES-256-GCM; empty once destroyed.")
    created_at = models.DateTimeField(db_default=Now())
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(wrapped=None, destroyed_at__isnull=False) | Q(wrapped__isnull=False, destroyed_at=None),
                name="core_personal_key_is_there_or_destroyed",
            )
        ]
        triggers = [
            pgtrigger.Protect(
                name="destroyed_for_ever",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__destroyed_at__isnull=False),
            ),
            # Its row is the proof that there was something, and since when there is nothing.
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            APPEND_ONLY[1],
        ]

    def __str__(self) -> str:
        return f"key {self.pk}"


class WordsOfMany(models.Model):
    """A text about many persons at once, under a key of its own: the first of them who is erased takes it along.

    What is written later about the same people, such as a decision, lies under the same key.
    """

    key = models.ForeignKey(PersonalKey, on_delete=models.PROTECT, related_name="+")
    kept = models.TextField(help_text="The text under that key.")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kept__startswith="sealed:1:"), name="core_words_of_many_are_sealed")
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"words under {self.key}"


class OneOfMany(models.Model):
    """Whom the texts under such a key are about, by the key of that person."""

    key = models.ForeignKey(PersonalKey, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(PersonalKey, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "person"], name="core_one_of_many_once")]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.person} in what lies under {self.key}"


class AuditEntry(models.Model):
    """One link of the hash chain over transitions, approvals, gate decisions and evidence.

    Of form 1 the link hashes content and predecessor in one; of form 2 it joins the predecessor's hash to a hash of the
    content, so that a link can be checked by somebody who may not read what it says.
    """

    reference = models.CharField(max_length=40, unique=True, help_text="What people quote, such as AUD-0000000042.")
    action = models.CharField(max_length=80)
    subject = models.CharField(max_length=120, help_text="What it was done to, such as invoice:42.")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    facts = models.JSONField()
    recorded_at = models.DateTimeField()
    form = models.PositiveSmallIntegerField(default=1, help_text="How its hashes are made.")
    content_hash = models.CharField(
        max_length=64, blank=True, default="", help_text="Of what it says; empty in form 1."
    )
    previous_hash = models.CharField(max_length=64)
    entry_hash = models.CharField(max_length=64, unique=True)

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [models.Index(fields=["subject", "id"], name="core_audit_subject")]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return self.reference


class AuditHead(models.Model):
    """How far the chain reached when this was signed: cutting it shorter than a head contradicts a signature."""

    number = models.BigIntegerField(help_text="Of the last entry there was.")
    entry_hash = models.CharField(max_length=64)
    first_hash = models.CharField(max_length=64, help_text="Of entry 1: which chain this is.")
    signed_at = models.DateTimeField()
    public_key = models.CharField(max_length=64, help_text="Ed25519, in hex.")
    signature = models.CharField(max_length=128)

    class Meta:
        ordering = ["-number", "-id"]
        constraints = [models.UniqueConstraint(fields=["number", "public_key"], name="core_head_once_per_key")]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"the chain up to entry {self.number}"


class AuditAnchor(models.Model):
    """A signed head that was put somewhere else, where whoever changes this database cannot reach it."""

    class Kind(models.TextChoices):
        FILE = "file", "File"
        EMAIL = "email", "E-mail"
        OBJECT = "object", "Object store"

    head = models.ForeignKey(AuditHead, on_delete=models.PROTECT, related_name="anchors")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    place = models.CharField(max_length=300)
    placed_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["head", "kind", "place"], name="core_anchor_once_per_place"),
            models.CheckConstraint(condition=Q(kind__in=["file", "email", "object"]), name="core_anchor_kind"),
        ]
        triggers = APPEND_ONLY

    def __str__(self) -> str:
        return f"{self.head} in {self.place}"


class IdempotentAnswer(models.Model):
    """The stored answer to a writing call, replayed when the same actor repeats its Idempotency-Key."""

    actor = models.CharField(max_length=80)
    route = models.CharField(max_length=200)
    key = models.CharField(max_length=255)
    body_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True, help_text="Empty while the first call is still running.")
    content_type = models.CharField(max_length=80, blank=True)
    body = models.BinaryField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["actor", "key"], name="core_idempotency_key_once")]

    def __str__(self) -> str:
        return f"{self.route} {self.key}"
