"""Makes the content of a set from closed periods: what arrived when, what was agreed by then, and what was billed."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery

from accounts.models import Customer
from core.errors import InvalidInputError
from invoicing.cycle.models import BillingCycle, InterimFiring, Invoice
from invoicing.policy.rules import terms as policy_terms
from invoicing.pricing.rules import instants
from invoicing.rating.models import RatedLine
from invoicing.replay import agreed, arrived, outcome
from invoicing.replay.agreed import DatedRows, Tables
from invoicing.replay.arrived import Arrival
from invoicing.replay.outcome import instant
from invoicing.replay.rules import content as contents
from invoicing.replay.rules import labels
from invoicing.replay.rules.content import Content
from invoicing.replay.rules.shape import FORM
from metering import health
from metering.rules import exact_json

MOMENT = timedelta(microseconds=1)
RESENT_MAX = 3  # of each step
ADDED_RETRIES = (
    "The retries in this set are added by us: which events were sent again is not kept event by event. The first events"
    " of each step are delivered once more and marked as added."
)


class NothingClosedError(InvalidInputError):
    """These customers have no drafted or issued invoice that could be replayed."""

    code = "nothing_closed"


@dataclass(slots=True)
class _Stop:
    """One drafting in history: what was drafted together, at which watermark."""

    seq: int
    kind: str
    at: datetime
    known_at: datetime
    as_of: datetime
    asked_in: str | None
    invoices: list[Invoice]


def make_content(*, customer_codes: Sequence[str], until: datetime | None = None) -> Content:
    """Everything of these customers from their first period to the last that ended by `until`.

    Names, addresses, tax ids and mail addresses stay behind; codes and the events as they came do not.
    NothingClosedError where nothing was billed; ContentInvalidError where there are more events than a set holds.
    """
    customers = _customers(customer_codes)
    stops = _stops(customers, until=until)
    arrivals = arrived.accepted_events(customers, up_to_seq=stops[-1].seq)
    contract_ids = {each.event["type"] for each in arrivals}
    known = agreed.read_agreements(customers, event_types=contract_ids)
    begun = _begun_by_discarded(customers)
    content = {
        "form": FORM,
        "program": customers[0].program,
        "customers": sorted(customer.code for customer in customers),
        "steps": list(_steps(stops, arrivals=arrivals, known=known, begun=begun)),
        "notes": [ADDED_RETRIES, *_suppressed(arrivals), *_left_out(customers)],
    }
    return contents.check(exact_json.read(contents.canonical_text(content).decode()))


def _customers(codes: Sequence[str]) -> list[Customer]:
    found = list(Customer.objects.filter(code__in=codes).order_by("pk"))
    unknown = sorted(set(codes) - {customer.code for customer in found})
    if unknown or not found:
        raise InvalidInputError(f"There is no customer {', '.join(unknown) or 'named'}.", pointer="/customers")
    programs = sorted({customer.program for customer in found})
    if len(programs) > 1:
        detail = f"These customers are of different programs ({', '.join(programs)}); a set is about one."
        raise InvalidInputError(detail, pointer="/customers")
    return found


def _live(customers: Sequence[Customer]) -> QuerySet[Invoice]:
    found = Invoice.objects.filter(customer__in=customers, credits=None).exclude(status=Invoice.Status.DISCARDED)
    return found.select_related("cycle", "customer", "watermark", "policy")


def _stops(customers: Sequence[Customer], *, until: datetime | None) -> list[_Stop]:
    """Draftings in the order in which they happened."""
    invoices = _live(customers) if until is None else _live(customers).filter(period_end__lte=until)
    together: dict[tuple[int, str], list[Invoice]] = defaultdict(list)
    for invoice in invoices:
        together[invoice.watermark_id, invoice.kind].append(invoice)
    if not together:
        raise NothingClosedError("Nothing was drafted for these customers yet; close a period first.")
    asked = dict(
        InterimFiring.objects.filter(
            invoice__in=[one for own in together.values() for one in own], cause=InterimFiring.Cause.CREDIT_EXPOSURE
        ).values_list("invoice", "currency")
    )
    stops = [
        _Stop(
            seq=own[0].watermark.seq,
            kind=kind,
            at=own[0].watermark.fixed_at,
            known_at=max(own[0].watermark.fixed_at, *_rated_at(own)),
            as_of=max(_over(invoice) for invoice in own),
            asked_in=asked.get(own[0].pk),
            invoices=own,
        )
        for (_, kind), own in together.items()
    ]
    return sorted(stops, key=lambda stop: (stop.at, stop.seq, min(one.pk for one in stop.invoices)))


def _rated_at(invoices: Sequence[Invoice]) -> list[datetime]:
    """Lines are dated with the instant as of which agreements were read."""
    return list(
        RatedLine.objects.filter(invoice_line__invoice__in=invoices).values_list("rated_at", flat=True).distinct()
    )


def _over(invoice: Invoice) -> datetime:
    """From when on a close takes the period up: after the grace that its policy gives."""
    if invoice.policy is None:
        return invoice.period_end
    return invoice.period_end + policy_terms.grace_of(invoice.policy.terms)


def _begun_by_discarded(customers: Sequence[Customer]) -> list[BillingCycle]:
    """Cycles whose first draft was discarded: their end is the one that was known then, whoever bills them after it."""
    first = Invoice.objects.filter(cycle=OuterRef("pk")).order_by("pk").values("status")[:1]
    cycles = BillingCycle.objects.filter(customer__in=customers).annotate(first_status=Subquery(first))
    return list(cycles.filter(first_status=Invoice.Status.DISCARDED).order_by("pk"))


def _steps(
    stops: Sequence[_Stop], *, arrivals: Sequence[Arrival], known: DatedRows, begun: Sequence[BillingCycle]
) -> Iterator[dict[str, Any]]:
    """One for each drafting, and one more wherever a contract came into force before it."""
    before: Tables = {}
    since, after_seq = instants.EARLIEST, 0
    for number, stop in enumerate(stops):
        own = [each for each in arrivals if after_seq < each.seq <= stop.seq]
        for cut in known.contract_instants(after=since, up_to=stop.known_at):
            early = [each for each in own if contents.read_instant(each.received_at) < cut]
            if early:
                now = known.known_by(cut, without_it=True)
                yield _step(
                    f"Before a contract changed on {labels.instant_label(instant(cut))}",
                    agreed.changes(before, now),
                    early,
                )
                own, before = [each for each in own if each not in early], now
        now = known.known_by(stop.known_at)
        step = _step(
            f"{_WORDS[stop.kind]} of {labels.instant_label(instant(stop.at))}",
            agreed.changes(before, now),
            own,
        )
        draft = {"kind": stop.kind, "as_of": instant(stop.as_of), "at": instant(stop.at), "asked_in": stop.asked_in}
        yield step | {
            "draft": draft,
            "expected": outcome.read_documents(invoice.pk for invoice in stop.invoices),
            "issue": _issued_before(stops, number),
            "begun": [_begun(cycle) for cycle in begun if since < cycle.opened_at <= stop.known_at],
        }
        before, since, after_seq = now, stop.known_at, stop.seq


_WORDS = {"cycle": "Close", "interim": "Interim invoices", "adjustment": "Corrections"}


def _step(
    name: str,
    rows: Mapping[str, list[dict[str, Any]]],
    arrived: Sequence[Arrival],
) -> dict[str, Any]:
    together = groupby(sorted(arrived, key=_received), key=lambda each: each.received_at)
    deliveries = [_delivery(list(own), at=received) for received, own in together]
    resent = [{**_sent(each.event, "duplicate"), "added": True} for each in arrived[:RESENT_MAX]]
    if resent:
        at = deliveries[-1]["at"]
        deliveries.append({"at": at, "events": resent})
    return {"name": name, "rows": rows, "deliveries": deliveries, "draft": None, "expected": [], "issue": []}


def _begun(cycle: BillingCycle) -> dict[str, Any]:
    period = [instant(cycle.period_start), instant(cycle.period_end)]
    return {"subscription": cycle.subscription_id, "period": period, "at": instant(cycle.opened_at)}


def _sent(event: Mapping[str, Any], becomes: str) -> dict[str, Any]:
    return {"event": exact_json.write(event).decode(), "becomes": becomes}


def _received(each: Arrival) -> tuple[str, int]:
    """Deliveries at the same moment may have taken their numbers by turns; their instants are written alike."""
    return each.received_at, each.seq


def _delivery(own: Sequence[Arrival], *, at: str) -> dict[str, Any]:
    """A clock that ran ahead was let pass within the contract's bounds: none of these lay in the future."""
    latest = max(contents.read_instant(text) for text in [at, *(each.event["time"] for each in own)])
    return {"at": instant(latest), "events": [_sent(each.event, "accepted") for each in own]}


def _issued_before(stops: Sequence[_Stop], number: int) -> list[dict[str, str]]:
    """What was issued after this drafting and before the next one, whenever it was drafted."""
    begin, end = stops[number].at, stops[number + 1].at if number + 1 < len(stops) else None
    if end is None:
        return []
    drafted = [invoice for stop in stops[: number + 1] for invoice in stop.invoices]
    found = [
        invoice
        for invoice in drafted
        if invoice.finalized_at is not None
        and invoice.finalized_at <= end
        and (number == 0 or invoice in stops[number].invoices or invoice.finalized_at > begin)
    ]
    ordered = sorted(found, key=lambda invoice: (invoice.finalized_at or begin, invoice.pk))
    return [{"key": outcome.key_of(one), "at": instant(one.finalized_at)} for one in ordered]


def _suppressed(arrivals: Sequence[Arrival]) -> list[str]:
    """How many resends capture counted meanwhile, of everybody who sends with these sources and types."""
    if not arrivals:
        return []
    received = [contents.read_instant(each.received_at) for each in arrivals]
    streams = {(each.event["source"], each.event["type"]) for each in arrivals}
    resent = health.count_suppressed(streams=streams, start=min(received), end=max(received) + MOMENT)
    return [f"Between the first and the last of its events capture suppressed {resent} resends of these sources."]


def _left_out(customers: Sequence[Customer]) -> list[str]:
    """In words, what these customers have that a set does not take along."""
    asked = Invoice.objects.filter(customer__in=customers, credits__isnull=False).count()
    held = arrived.count_held(customers)
    told = [f"Credit notes that people asked for are not drafted by the set ({asked})."] if asked else []
    if held:
        told.append(f"Events that were held back are left out ({held}): what they say may be about persons.")
    return told
