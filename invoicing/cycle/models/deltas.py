"""Delta reports: what billed history is to be changed by, line by line, before and after, and who allowed it."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models import Customer
from core.models import APPEND_ONLY
from core.sealed_fields import OpenedTextField
from invoicing.cycle.models import guards
from invoicing.cycle.models.invoices import Invoice
from invoicing.cycle.models.lines import InvoiceLine
from metering.models import AggregationSnapshot, Backfill

# The mover holds the invoice; this holds against everybody else.
_NOT_BEHIND_AN_APPROVAL = """
    IF NEW.status = 'rejected' AND EXISTS (
        SELECT 1 FROM cycle_invoice WHERE id = NEW.invoice_id AND status IN ('approved', 'final'))
    THEN
        RAISE EXCEPTION 'the invoice of delta report % is approved already', NEW.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
"""
_ROWS_WITH_THEIR_REPORT = """
    IF EXISTS (SELECT 1 FROM new_rows row JOIN cycle_deltareport report ON report.id = row.report_id
               WHERE report.status <> 'proposed') THEN
        RAISE EXCEPTION 'rows are added to proposed delta reports only'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF EXISTS (SELECT 1 FROM new_rows row JOIN cycle_deltareport report ON report.id = row.report_id
               WHERE report.kind = 'unchanged'
                 AND (row.before_amount <> row.after_amount OR row.line_id IS NOT NULL OR row.corrects_id IS NULL)) THEN
        RAISE EXCEPTION 'a delta report that says that no amount changes has a row that changes one'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF EXISTS (SELECT 1 FROM new_rows row JOIN cycle_deltareport report ON report.id = row.report_id
               WHERE report.kind <> 'unchanged' AND row.counted_id IS NOT NULL) THEN
        RAISE EXCEPTION 'a row of a change says what was counted by its line'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
"""


class DeltaReport(models.Model):
    """A proposed change of what was billed or drafted; it counts once finance, not its author, approved it.

    Where corrected usage changes no amount there is nothing to decide: it is kept and shown, nothing is drafted.
    """

    class Kind(models.TextChoices):
        ADJUSTMENT = "adjustment", "Corrections of issued lines"
        REDRAFT = "redraft", "A draft made anew"
        BACKFILL = "backfill", "Usage imported afterwards"
        UNCHANGED = "unchanged", "Corrections that change no amount"

    class Status(models.TextChoices):
        PROPOSED = "proposed", "To be decided"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        NOTED = "noted", "Nothing to decide"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PROPOSED)
    invoice = models.ForeignKey(
        Invoice,
        null=True,
        on_delete=models.PROTECT,
        related_name="delta_reports",
        help_text="The draft that carries the changes; empty for a backfill, whose changes are not drafted yet, and"
        " where no amount changes, so that nothing is drafted.",
    )
    backfill = models.OneToOneField(
        Backfill, null=True, on_delete=models.PROTECT, related_name="delta_report", help_text="The batch it is about."
    )
    replaces = models.ForeignKey(
        Invoice, null=True, on_delete=models.PROTECT, related_name="+", help_text="The discarded draft before it."
    )
    reason = OpenedTextField(help_text="Why anything changes.")
    content_hash = models.CharField(
        max_length=64, help_text="SHA-256 of every row, and of the draft that carries them."
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Who asked for the change; empty where it came of usage alone.",
    )
    proposed_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    decision_reason = OpenedTextField(blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "kind"], name="cycle_delta_once_per_kind"),
            models.CheckConstraint(
                condition=Q(kind="adjustment", invoice__isnull=False, replaces=None, backfill=None)
                | Q(kind="redraft", invoice__isnull=False, replaces__isnull=False, backfill=None)
                | Q(kind="backfill", invoice=None, replaces=None, backfill__isnull=False)
                | Q(kind="unchanged", invoice=None, replaces=None, backfill=None),
                name="cycle_delta_kind",
            ),
            models.CheckConstraint(
                condition=Q(status="proposed", decided_by=None, decided_at=None, decision_reason="")
                | (
                    Q(status__in=["approved", "rejected"], decided_by__isnull=False, decided_at__isnull=False)
                    & ~Q(decision_reason="")
                    & ~Q(kind="unchanged")
                )
                | (
                    Q(status="noted", kind="unchanged", decided_by=None, decided_at__isnull=False)
                    & ~Q(decision_reason="")
                ),
                name="cycle_delta_decided",
            ),
            models.CheckConstraint(
                condition=Q(author=None) | Q(decided_by=None) | ~Q(author=F("decided_by")),
                name="cycle_delta_four_eyes",
            ),
        ]
        triggers = [
            pgtrigger.ReadOnly(
                name="content_is_fixed",
                fields=["kind", "invoice", "replaces", "backfill", "reason", "content_hash", "author", "proposed_at"],
            ),
            pgtrigger.Protect(
                name="decided_once", operation=pgtrigger.Update, condition=~pgtrigger.Q(old__status="proposed")
            ),
            pgtrigger.Protect(
                name="born_proposed", operation=pgtrigger.Insert, condition=~pgtrigger.Q(new__status="proposed")
            ),
            pgtrigger.Trigger(
                name="not_behind_an_approval",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func=_NOT_BEHIND_AN_APPROVAL,
            ),
            guards.NO_DELETE,
            guards.NO_TRUNCATE,
        ]

    def __str__(self) -> str:
        return f"Delta report {self.pk}"


class DeltaRow(models.Model):
    """One line before and after; quantities and amounts are of the whole line, as all final documents together say."""

    class Cause(models.TextChoices):
        USAGE = "usage", "Usage that was late or corrected"
        UNUSED_TIME = "unused_time", "A fee paid in advance was not used to the end"
        PLAN = "plan", "It stands on lines that change"
        REDRAFT = "redraft", "Counted and rated afresh"
        BACKFILL = "backfill", "Usage of a backfill"
        CREDIT = "credit", "Somebody in finance gives it back"

    report = models.ForeignKey(DeltaReport, on_delete=models.PROTECT, related_name="rows")
    position = models.PositiveIntegerField()
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    line = models.ForeignKey(
        InvoiceLine,
        null=True,
        on_delete=models.PROTECT,
        related_name="delta_rows",
        help_text="The line of the draft; empty where a line falls away, or none is drafted yet.",
    )
    corrects = models.ForeignKey(
        InvoiceLine,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The line as it was issued, or drafted before.",
    )
    counted = models.OneToOneField(
        AggregationSnapshot,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="What was counted again, where no amount changes and so no line is drafted that would rest on it.",
    )
    cause = models.CharField(max_length=20, choices=Cause.choices)
    description = models.CharField(max_length=200)
    unit = models.CharField(max_length=40, blank=True)
    segment_start = models.DateTimeField()
    segment_end = models.DateTimeField()
    currency = models.CharField(max_length=3)
    before_quantity = models.DecimalField(max_digits=38, decimal_places=18)
    after_quantity = models.DecimalField(max_digits=38, decimal_places=18)
    before_amount = models.DecimalField(max_digits=20, decimal_places=4)
    after_amount = models.DecimalField(max_digits=20, decimal_places=4)
    before_events = models.BigIntegerField(null=True, help_text="Events counted; empty where none stand behind it.")
    after_events = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["report", "position"]
        constraints = [
            models.UniqueConstraint(fields=["report", "position"], name="cycle_delta_row_position"),
            models.CheckConstraint(
                condition=Q(cause__in=["usage", "unused_time", "plan", "redraft", "backfill", "credit"]),
                name="cycle_delta_row_cause",
            ),
            models.CheckConstraint(
                condition=Q(
                    before_quantity__range=("-1e18", "1e18"),
                    after_quantity__range=("-1e18", "1e18"),
                    before_amount__range=("-1e15", "1e15"),
                    after_amount__range=("-1e15", "1e15"),
                ),
                name="cycle_delta_row_bounds",
            ),
        ]
        triggers = [
            *APPEND_ONLY,
            pgtrigger.Trigger(
                name="with_their_report",
                level=pgtrigger.Statement,
                operation=pgtrigger.Insert,
                when=pgtrigger.After,
                referencing=pgtrigger.Referencing(new="new_rows"),
                func=_ROWS_WITH_THEIR_REPORT,
            ),
        ]

    def __str__(self) -> str:
        return self.description
