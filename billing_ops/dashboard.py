"""The first page of the back office: what waits for whom, what is held and why, how far the close has come."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, DateTimeField, ExpressionWrapper, F, Sum
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from accounts import roles
from accounts.models import Seller
from compliance.disputes import overdue as dispute_watch
from compliance.payouts import desk
from compliance.payouts.models import GateCheck
from compliance.payouts.rules.gates import GateState
from core.models import Job
from invoicing.alerts.models import AlertFiring
from invoicing.charge_controls.models import AccessState, CreditReview
from invoicing.cycle import park
from invoicing.cycle.admin import wording
from invoicing.cycle.models import BillingCycle, Break, Hold, Invoice
from invoicing.payments import queries as payments_queries
from invoicing.policy import queries as policy_queries
from metering.models import CaptureBatch, QuarantinedEvent, ReviewItem

Status = Invoice.Status
STAGES = (Status.FINAL, Status.APPROVED, Status.DRAFT, Status.HELD)
ROWS_MAX = 8
TO_DECIDE = (
    GateState.NOT_STARTED,
    GateState.PENDING,
    GateState.NEEDS_REVIEW,
    GateState.EXPIRING,
    GateState.EXPIRED,
)
# A day before the end lies in the last days of the period, whatever time zone cut it.
LAST_DAY = ExpressionWrapper(F("period_end") - timedelta(days=1), output_field=DateTimeField())


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One figure that leads to the page where it is worked off."""

    title: str
    value: int
    note: str
    link: str
    is_bad: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleProgress:
    """The invoices of all periods that ended together, by status."""

    period: str
    link: str
    total: int
    shares: list[tuple[str, str, int, float]]
    amounts: str


def add_to_context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Called by the admin for its index page; people without a role see no figures."""
    if roles.has_role(request.user, roles.STAFF):
        context.update(
            tiles=_tiles(),
            held=_held(),
            breaks=_breaks(),
            waiting=_waiting_drafts(),
            cycles=_cycle_progress(),
            capture=_capture_last_day(),
            needs_seller=not Seller.objects.exists(),
            programs_without_policy=policy_queries.programs_without_policy(at=timezone.now()),
        )
    return context


def _tiles() -> list[Tile]:
    return [
        *_invoice_tiles(),
        _parked_tile(),
        *_metering_tiles(),
        _gate_tile(),
        *_credit_tiles(),
        _dispute_tile(),
        _payment_tile(),
        _job_tile(),
    ]


def _invoice_tiles() -> list[Tile]:
    counts = dict(Invoice.objects.values_list("status").annotate(n=Count("id")))
    queue = reverse("admin:cycle_invoice_queue")
    drafts, held, approved = (counts.get(status, 0) for status in (Status.DRAFT, Status.HELD, Status.APPROVED))
    return [
        Tile(
            title="Drafts to review",
            value=drafts,
            note="waiting for a second pair of eyes",
            link=f"{queue}?status=draft",
        ),
        Tile(title="Held", value=held, note="with a reason, below", link=f"{queue}?status=held", is_bad=held > 0),
        Tile(title="Approved", value=approved, note="ready to finalize", link=f"{queue}?status=approved"),
    ]


def _parked_tile() -> Tile:
    parked = park.open_parkings().count()
    return Tile(
        title="Parked customers",
        value=parked,
        note="could not be closed" if parked else "everybody could be closed",
        link=reverse("admin:cycle_parkedcustomer_changelist") + "?left_at__isempty=1",
        is_bad=parked > 0,
    )


def _metering_tiles() -> list[Tile]:
    quarantined = QuarantinedEvent.objects.filter(status=QuarantinedEvent.Status.OPEN).count()
    to_review = ReviewItem.objects.exclude(status=ReviewItem.Status.RESOLVED).count()
    return [
        Tile(
            title="In quarantine",
            value=quarantined,
            note="events to release or discard",
            link=reverse("admin:metering_quarantine_desk"),
            is_bad=quarantined > 0,
        ),
        Tile(
            title="Metering to review",
            value=to_review,
            note="sources unlike their own past" if to_review else "every source as before",
            link=reverse("admin:metering_arrivalminute_changelist"),
            is_bad=to_review > 0,
        ),
    ]


def _dispute_tile() -> Tile:
    overdue = dispute_watch.overdue(at=timezone.now()).count()
    return Tile(
        title="Disputes overdue",
        value=overdue,
        note="a step, or news for the customer" if overdue else "every step in time",
        link=reverse("admin:disputes_dispute_changelist") + "?due=overdue",
        is_bad=overdue > 0,
    )


def _payment_tile() -> Tile:
    unapplied = payments_queries.unapplied_events(since=timezone.now() - timedelta(days=7)).count()
    return Tile(
        title="Payments told, not applied",
        value=unapplied,
        note="in seven days; the list says why" if unapplied else "all that was told is recorded",
        link=reverse("admin:payments_gatewayevent_changelist") + "?outcome__exact=refused",
        is_bad=unapplied > 0,
    )


def _gate_tile() -> Tile:
    return Tile(
        title="Gate checks to decide",
        value=GateCheck.objects.filter(desk.states(TO_DECIDE, at=timezone.now())).count(),
        note="undecided, expiring or expired",
        link=reverse("admin:payouts_gatecheck_changelist"),
    )


def _credit_tiles() -> list[Tile]:
    on_hold = AccessState.objects.filter(status="held").count()
    return [
        Tile(
            title="Usage on hold",
            value=on_hold,
            note="exposure reached the policy's line" if on_hold else "nobody is held",
            link=reverse("admin:charge_controls_accessstate_changelist") + "?status__exact=held",
            is_bad=on_hold > 0,
        ),
        Tile(
            title="Credit reviews",
            value=CreditReview.objects.filter(status=CreditReview.Status.OPEN).count(),
            note="asked for by charge controls",
            link=reverse("admin:charge_controls_creditreview_changelist") + "?status__exact=open",
        ),
        Tile(
            title="Alerts in a day",
            value=AlertFiring.objects.filter(fired_at__gte=timezone.now() - timedelta(days=1)).count(),
            note="told by the policy's channels",
            link=reverse("admin:alerts_alertfiring_changelist"),
        ),
    ]


def _job_tile() -> Tile:
    dead = Job.objects.filter(state=Job.State.DEAD).count()
    return Tile(
        title="Background work given up",
        value=dead,
        note="tried three times" if dead else "all work done",
        link=reverse("admin:core_job_changelist") + "?state__exact=dead",
        is_bad=dead > 0,
    )


def _held() -> list[Hold]:
    open_holds = Hold.objects.filter(released_at=None, invoice__status=Status.HELD)
    return list(open_holds.select_related("invoice__customer", "placed_by").order_by("placed_at")[:ROWS_MAX])


def _breaks() -> list[Break]:
    found = Break.objects.filter(closed_at=None).exclude(invoice__status=Status.DISCARDED)
    return list(found.select_related("invoice__customer").order_by("opened_at")[:ROWS_MAX])


def _waiting_drafts() -> list[dict[str, Any]]:
    drafts = Invoice.objects.filter(status__in=[Status.DRAFT, Status.APPROVED]).select_related("customer")
    return [
        {
            "invoice": draft,
            "total": wording.total_text(draft),
            "period": wording.period_text(draft),
        }
        for draft in drafts.order_by("status", "drafted_at")[:ROWS_MAX]
    ]


def _cycle_progress() -> list[CycleProgress]:
    """The latest three closes, by the month of their last days."""
    cycles = BillingCycle.objects.annotate(last_day=LAST_DAY)
    progress = []
    for month in cycles.dates("last_day", "month", order="DESC")[:3]:
        invoices = Invoice.objects.annotate(last_day=LAST_DAY)
        in_month = invoices.filter(last_day__year=month.year, last_day__month=month.month)
        live = in_month.exclude(status=Status.DISCARDED)
        counts = dict(live.values_list("status").annotate(n=Count("id")))
        total = sum(counts.values())
        sums = live.values_list("currency").annotate(sum=Sum("total")).order_by("currency")
        progress.append(
            CycleProgress(
                period=f"Periods that ended in {month:%B %Y}",
                link=reverse("admin:cycle_billingcycle_month") + f"?month={month:%Y-%m}",
                total=total,
                shares=[
                    (stage, Status(stage).label, counts[stage], 100 * counts[stage] / total)
                    for stage in STAGES
                    if counts.get(stage)
                ],
                amounts=", ".join(f"{wording.amount_text(amount, currency=code)} {code}" for code, amount in sums),
            )
        )
    return progress


def _capture_last_day() -> dict[str, int]:
    since = timezone.now() - timedelta(days=1)
    sums = CaptureBatch.objects.filter(received_at__gte=since).aggregate(
        received=Sum("received"), accepted=Sum("accepted"), duplicates=Sum("duplicates"), quarantined=Sum("quarantined")
    )
    return {name: value or 0 for name, value in sums.items()}
