"""Keep what contradicts an invariant: found by a nightly check, told to ops, and in the way of whom it concerns."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from accounts import roles
from accounts.roles import Role
from core import bulk, locks, searching, work
from core.errors import DomainError
from core.invariants import Finding, Invariant
from invoicing.cycle.models import FalseAlarm, Invoice, InvoiceLine, Offence, OffenceCheck, OffenceSearch
from invoicing.pricing.models import Subscription
from metering import alerts as ops_alerts
from metering.models import AggregationSnapshot

CHECK_JOB = "cycle.check_invariants"
TELL_JOB = "cycle.tell_offences"
CHECKERS = (Role.FINANCE, Role.OPS, Role.ENGINEERING)
KEPT_MAX = 1000  # of each invariant; more than that concern everybody, and a row says how many there are
NOT_SEARCHED = "Not searched to the end. "
SHOWN = 20
# How offenders name whom they are about: `invoice 42, line 7`, `invoice 42:`, `entry invoice:42:final`, `number INV-1`
_NAMED = re.compile(r"(?:^|, )(invoice|line|rated_line|snapshot|customer|subscription) (\d+)(?=[,:]|$)")
_ENTRY = re.compile(r"invoice:(\d+):")
_NUMBER = re.compile(r"(?:^|, )number (\S+)(?=,|$)")


class OffendedError(DomainError):
    """Something about this customer contradicts what must always hold."""

    code = "invariant_offended"


@dataclass(frozen=True, slots=True)
class _Named:
    """What an offender names, of each kind."""

    ids: Mapping[str, int]
    number: str | None


@dataclass(frozen=True, slots=True)
class Checked:
    """What one check found: how many offences are new, still there, and gone."""

    new: int
    known: int
    cleared: int


def go_on_with_check(
    *, at: datetime, is_over: Callable[[], bool] = lambda: False, seconds_max: int | None = None
) -> Checked | None:
    """Take the check that is open further, or begin one; what it found once it is finished, None while it is not.

    Every invariant is searched, none for longer than `seconds_max`. What is there now is kept; new offences are told to
    ops.
    """
    check = running_check() or OffenceCheck.objects.create(asked_at=at)
    if not searching.go_on(check, at=at, is_over=is_over, seconds_max=seconds_max, offenders_kept=KEPT_MAX):
        return None
    return _finish(check, at=at)


def running_check() -> OffenceCheck | None:
    """The check that is open."""
    return OffenceCheck.objects.filter(finished_at=None).first()


def how_far() -> dict[str, Any]:
    """The check that runs, with how much is searched, or else the last that ended, with what it searched."""
    running = running_check()
    if running is not None:
        done, total = searching.how_far(running)
        return {"running": running, "done": done, "total": total}
    finished = OffenceCheck.objects.filter(finished_at__isnull=False).first()
    if finished is None:
        return {}
    searched = finished.searches.filter(outcome__in=searching.FOUND).count()
    return {"finished": finished, "searched": searched, "unsearched": finished.searches.count() - searched}


def ask_for_check(*, actor: Any, at: datetime) -> None:
    """Have a worker check everything now, as each night."""
    roles.require_role(actor, *CHECKERS, to="have the invariants checked")
    work.enqueue(kind=CHECK_JOB, key="asked for", arguments={}, at=at)


@transaction.atomic
def queue_next_slice(*, at: datetime) -> None:
    """Have a worker take the open check further; the key says how far it is, so that a slice can queue the next."""
    check = OffenceCheck.objects.get(finished_at=None)
    key = f"check {check.pk}, {searching.steps_taken(check)} searches"
    work.enqueue(kind=CHECK_JOB, key=key, arguments={}, at=at)


@transaction.atomic
def _finish(check: OffenceCheck, *, at: datetime) -> Checked:
    """Keep what the searches found; an invariant that was not searched to its end leaves its offences as they were."""
    held = OffenceCheck.objects.select_for_update().get(pk=check.pk)
    if held.finished_at is not None:
        return Checked(new=0, known=0, cleared=0)  # somebody else was faster
    searches = list(held.searches.order_by("number", "name"))
    unsearched = {(one.number, one.name) for one in searches if one.outcome not in searching.FOUND}
    found = keep([_finding(one) for one in searches], unsearched=unsearched, at=at)
    held.finished_at = at
    held.save(update_fields=["finished_at"])
    return found


def _finding(search: OffenceSearch) -> Finding:
    """What one search found; one that did not come to its end is an offence that names nobody."""
    invariant = Invariant(number=search.number, name=search.name, find_offenders=lambda: search.offenders)
    if search.outcome not in searching.FOUND:
        return Finding(invariant, [f"{NOT_SEARCHED}{search.why}"])
    return Finding(invariant, search.offenders, more=(search.count or 0) - len(search.offenders))


@transaction.atomic
def keep(
    findings: Sequence[Finding], *, at: datetime, unsearched: Collection[tuple[int, str]] = frozenset()
) -> Checked:
    """Open what is new, note what is still there, clear what is gone; one check at a time.

    What is known against an invariant that is `unsearched` is neither gone nor seen again.
    """
    locks.lock_exclusive(locks.LockClass.OFFENCES)
    found = {
        (finding.invariant.number, finding.invariant.name, offender)
        for finding in findings
        for offender in _kept(finding)
    }
    known = {(one.number, one.name, one.offender): one for one in open_offences()}
    fresh = sorted(found - known.keys())
    concerned = _concerned([offender for _, _, offender in fresh])
    rows = [
        Offence(
            number=number,
            name=name,
            offender=offender,
            customer_id=customer_id,
            invoice_id=invoice_id,
            found_at=at,
            seen_at=at,
        )
        for (number, name, offender), (customer_id, invoice_id) in zip(fresh, concerned, strict=True)
    ]
    bulk.insert_rows(rows)
    gone = [row.pk for key, row in known.items() if key not in found and key[:2] not in unsearched]
    still = [row.pk for key, row in known.items() if key in found]
    Offence.objects.filter(pk__in=gone).update(cleared_at=at)
    Offence.objects.filter(pk__in=still).update(seen_at=at)
    if rows:
        _have_told(rows, at=at)
    return Checked(new=len(rows), known=len(still), cleared=len(gone))


def _kept(finding: Finding) -> Iterable[str]:
    yield from (offender.replace("\x00", "") for offender in finding.offenders[:KEPT_MAX])
    more = len(finding.offenders) + finding.more - KEPT_MAX
    if more > 0:
        yield f"and {more} more"


def open_offences() -> QuerySet[Offence]:
    """What the last check found, the oldest first."""
    return Offence.objects.filter(cleared_at=None).select_related("customer", "invoice").order_by("pk")


def is_agreed() -> Exists:
    """The condition that two people agreed that an offence is a false alarm."""
    return Exists(FalseAlarm.objects.filter(offence=OuterRef("pk"), decision=FalseAlarm.Decision.AGREED))


def require_none(invoice: Invoice) -> bool:
    """OffendedError says what stops this customer's invoices; PostgreSQL asks once more when one is issued.

    Whether there is something that two people agreed to be a false alarm.
    """
    found = list(open_offences().filter(customer=invoice.customer_id).annotate(agreed=is_agreed()))
    for one in found:
        if not one.agreed:
            raise OffendedError(
                f"What must always hold does not: {one.name} ({one.offender}). Nothing is issued to"
                f" {invoice.customer.code} until engineering has put it right and a check no longer finds it."
            )
    return bool(found)


def _concerned(offenders: Sequence[str]) -> list[tuple[int | None, int | None]]:
    """Of each the customer and the invoice that it names, itself or through a line, a snapshot or a subscription."""
    named = [_read(offender) for offender in offenders]
    of_line = dict(InvoiceLine.objects.filter(pk__in=_ids(named, "line")).values_list("pk", "invoice"))
    of_rated = dict(
        InvoiceLine.objects.filter(rated_line__in=_ids(named, "rated_line")).values_list("rated_line", "invoice")
    )
    of_number = dict(
        Invoice.objects.filter(number__in={one.number for one in named if one.number}).values_list("number", "pk")
    )
    invoices = [
        one.ids.get("invoice")
        or of_line.get(one.ids.get("line", 0))
        or of_rated.get(one.ids.get("rated_line", 0))
        or of_number.get(one.number)
        for one in named
    ]
    of_invoice = dict(Invoice.objects.filter(pk__in={pk for pk in invoices if pk}).values_list("pk", "customer"))
    of_snapshot = dict(AggregationSnapshot.objects.filter(pk__in=_ids(named, "snapshot")).values_list("pk", "customer"))
    of_subscription = dict(
        Subscription.objects.filter(pk__in=_ids(named, "subscription")).values_list("pk", "customer")
    )
    return [
        (
            of_invoice.get(invoice_id or 0)
            or one.ids.get("customer")
            or of_snapshot.get(one.ids.get("snapshot", 0))
            or of_subscription.get(one.ids.get("subscription", 0)),
            invoice_id if invoice_id in of_invoice else None,
        )
        for one, invoice_id in zip(named, invoices, strict=True)
    ]


def _read(offender: str) -> _Named:
    if offender.startswith(NOT_SEARCHED):
        return _Named({}, None)  # whatever its words name, they are about no figure
    ids = {kind: int(number) for kind, number in _NAMED.findall(offender)}
    if (entry := _ENTRY.search(offender)) is not None:
        ids.setdefault("invoice", int(entry.group(1)))
    number = _NUMBER.search(offender)
    return _Named(ids, None if number is None else number.group(1))


def _ids(named: Iterable[_Named], kind: str) -> set[int]:
    return {one.ids[kind] for one in named if kind in one.ids}


def _have_told(rows: Sequence[Offence], *, at: datetime) -> None:
    for channel in ops_alerts.channels():
        arguments = {"first": rows[0].pk, "last": rows[-1].pk, "channel": channel}
        work.enqueue(kind=TELL_JOB, key=f"{rows[0].pk}-{rows[-1].pk} {channel}", arguments=arguments, at=at)


def tell(*, first: int, last: int, channel: str) -> None:
    """Tell ops what a check found; outside any transaction."""
    rows = list(Offence.objects.filter(pk__range=(first, last)).select_related("customer").order_by("pk"))
    stopped = sorted({row.customer.code for row in rows if row.customer is not None})
    lines = [f"{row.name}: {row.offender}" for row in rows[:SHOWN]]
    if len(rows) > SHOWN:
        lines.append(f"and {len(rows) - SHOWN} more")
    lines.append(f"Nothing is issued to: {', '.join(stopped[:SHOWN])}." if stopped else "No customer is named by it.")
    lines.append("They stand in the back office under Offences; a check that no longer finds them clears them.")
    message = ops_alerts.Message(
        title=f"Billing Ops: {len(rows)} contradictions of what must hold", text="\n".join(lines)
    )
    ops_alerts.tell_ops(message, reference=f"offences-{first}-{last}", channel=channel)
