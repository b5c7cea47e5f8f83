"""What every versioned agreement has: an author, an effective instant, and the decision of another person."""

from collections.abc import Sequence

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from core import knowing
from core.models import APPEND_ONLY
from invoicing.pricing.rules import instants

INSTANTS = (instants.EARLIEST, instants.LATEST)
NO_TRUNCATE = APPEND_ONLY[1]
SAID = ("version", "effective_at", "created_by", "created_at")


class ProposalStatus(models.TextChoices):
    PROPOSED = "proposed", "Proposed"
    APPROVED = "approved", "Approved"
    WITHDRAWN = "withdrawn", "Withdrawn"


class Proposal(models.Model):
    """A version that one person proposes and another approves or withdraws; what it says never changes.

    Only an approved one counts. One without an approver was in force before approvals were asked for.
    """

    version = models.PositiveIntegerField()
    effective_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=ProposalStatus.choices, default=ProposalStatus.PROPOSED)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    @property
    def counts(self) -> bool:
        return self.status == ProposalStatus.APPROVED


def proposal_checks(prefix: str) -> list[models.BaseConstraint]:
    """A decision is whole or not there, and its author is not its approver."""
    two_persons = Q(created_by__isnull=False, decided_by__isnull=False) & ~Q(decided_by=F("created_by"))
    before_approvals = Q(decided_by__isnull=True, decided_at=F("created_at"))
    return [
        models.CheckConstraint(condition=Q(effective_at__range=INSTANTS), name=f"{prefix}_instant"),
        models.CheckConstraint(condition=Q(status__in=ProposalStatus.values), name=f"{prefix}_status"),
        models.CheckConstraint(
            condition=Q(status="proposed", decided_by__isnull=True, decided_at__isnull=True)
            | Q(status="withdrawn", decided_by__isnull=False, decided_at__isnull=False)
            | Q(status="approved", decided_at__isnull=False),
            name=f"{prefix}_decision",
        ),
        models.CheckConstraint(
            condition=~Q(status="approved") | two_persons | before_approvals, name=f"{prefix}_two_persons"
        ),
    ]


def proposal_triggers(content: Sequence[str]) -> list[pgtrigger.Trigger]:
    """It begins as a proposal, is decided once by somebody, and says the same for ever."""
    return [
        pgtrigger.Protect(
            name="begins_proposed", operation=pgtrigger.Insert, condition=~pgtrigger.Q(new__status="proposed")
        ),
        pgtrigger.ReadOnly(name="content_is_fixed", fields=[*content, *SAID]),
        pgtrigger.Protect(
            name="decided_once",
            operation=pgtrigger.Update,
            condition=~pgtrigger.Q(old__status="proposed") | pgtrigger.Q(new__decided_by__isnull=True),
        ),
        knowing.agreed_after_readers(
            field="decided_at", operation=pgtrigger.Update, condition=pgtrigger.Q(new__status="approved")
        ),
        pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        NO_TRUNCATE,
    ]
