"""What was agreed about subscriptions when a draft was written, and not as it stands today.

The audit chain has agreements and drafts in the order of their commits, and a draft never passes over one before it
(`invoicing.cycle.undisturbed`). Versions and kept prices are known by the instant that the rating read as of.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from core import knowing
from core.models import AuditEntry
from invoicing.cycle.models import InvoiceTransition
from invoicing.cycle.undisturbed import ABOUT_KEPT, ABOUT_PLANS
from invoicing.pricing import queries as pricing_queries
from invoicing.pricing import segments
from invoicing.pricing.models import KeptPrices, Plan, PlanVersion, PriceVersion
from invoicing.pricing.queries import DuePeriod
from invoicing.pricing.rules.timeline import Stretch, Terms
from invoicing.pricing.segments import PriceSegment, Told

STARTED, CHANGED, ENDED = ABOUT_PLANS
INSTANT_OF = {STARTED: "starts_at", CHANGED: "effective_at", ENDED: "ends_at"}  # the name of its instant in the facts
PRICES_KEPT = ABOUT_KEPT[0]


@dataclass(frozen=True, slots=True)
class KeptEnd:
    """Until when prices are kept, as one entry of the audit chain says it."""

    entry: AuditEntry
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """Older prices that a subscription keeps, with each end that was agreed for them, in order."""

    prices: KeptPrices
    ends: tuple[KeptEnd, ...]

    def as_known(self, *, before: int, at: datetime) -> Stretch | None:
        """The stretch by the entries before that number; None where nobody had agreed on it at that instant."""
        known = [end for end in self.ends if end.entry.pk < before]
        if not known or self.prices.created_at > at:
            return None
        return Stretch(self.prices.pk, self.prices.starts_at, known[-1].ends_at)


class Agreements:
    """All that was ever agreed about the plans of these subscriptions; asked for what a draft knew of it."""

    def __init__(self, subscription_ids: Iterable[int]) -> None:
        ids = sorted(set(subscription_ids))
        self.entries = agreed_before(ids)
        self.terms = pricing_queries.terms_by_subscription(ids)
        self.kept = kept_of(ids)
        codes = {entry.facts.get("plan") for entries in self.entries.values() for entry in entries}
        self._plans = dict(Plan.objects.filter(code__in=codes).values_list("code", "pk"))
        self._drafts: dict[int, AuditEntry] = {}
        self._terms: dict[int, PlanVersion] = {}
        self._prices: dict[int, PriceVersion] = {}
        self._segments: dict[tuple[DuePeriod, int, datetime], list[PriceSegment]] = {}

    def draft_of(self, invoice_id: int) -> AuditEntry:
        """The entry that says that this invoice was drafted."""
        if invoice_id not in self._drafts:
            self.read_drafts([invoice_id])
        return self._drafts[invoice_id]

    def read_drafts(self, invoice_ids: Iterable[int]) -> None:
        """Of many at once, before they are asked for one by one."""
        self._drafts |= drafts_of(invoice_ids)

    def end_known(self, subscription_id: int, *, draft: AuditEntry) -> datetime | None:
        """When the subscription was to end, as known when this draft was written."""
        ends = [one for one in self.entries[subscription_id] if one.action == ENDED and one.pk < draft.pk]
        return instant_of(ends[-1]) if ends else None

    def terms_known(self, subscription_id: int, *, draft: AuditEntry) -> Terms:
        """Where its periods lie, with the end that was known."""
        return replace(self.terms[subscription_id], ends_at=self.end_known(subscription_id, draft=draft))

    def segments_known(self, due: DuePeriod, *, draft: AuditEntry, at: datetime) -> list[PriceSegment]:
        """The segments of a period by what this draft knew, with versions as known at that instant."""
        key = due, draft.pk, at
        if key not in self._segments:
            told = self._told(due.subscription_id, draft=draft, at=at)
            with knowing.as_of(at):
                self._segments[key] = segments.price_segments([due], told=told)
        return self._segments[key]

    def versions_of(self, found: Iterable[PriceSegment]) -> list[tuple[PlanVersion, PriceVersion]]:
        """The terms and the price that hold in each of these; every version is read once."""
        pairs = [(each.plan_version_id, each.price_version_id) for each in found]
        fresh_terms = {pk for pk, _ in pairs} - self._terms.keys()
        fresh_prices = {pk for _, pk in pairs} - self._prices.keys()
        if fresh_terms:
            self._terms |= PlanVersion.objects.select_related("plan").in_bulk(fresh_terms)
        if fresh_prices:
            self._prices |= PriceVersion.objects.in_bulk(fresh_prices)
        return [(self._terms[terms], self._prices[price]) for terms, price in pairs]

    def kept_known(self, subscription_id: int, *, draft: AuditEntry, at: datetime) -> dict[int, list[Stretch]]:
        """By plan, in order of time: the older prices that it was to keep."""
        found: dict[int, list[Stretch]] = defaultdict(list)
        for each in self.kept.get(subscription_id, ()):
            stretch = each.as_known(before=draft.pk, at=at)
            if stretch is not None:
                found[each.prices.plan_id].append(stretch)
        return found

    def _told(self, subscription_id: int, *, draft: AuditEntry, at: datetime) -> Told:
        phases = list(self._phases_known(subscription_id, draft=draft))
        kept = self.kept_known(subscription_id, draft=draft, at=at)
        return Told(phases={subscription_id: phases}, kept={subscription_id: kept})

    def _phases_known(self, subscription_id: int, *, draft: AuditEntry) -> list[Stretch]:
        """Which plan held from when to when."""
        held: list[Stretch] = []
        end = None
        for entry in self.entries[subscription_id]:
            if entry.pk > draft.pk:
                break
            at = instant_of(entry)
            if held:
                held[-1] = replace(held[-1], end=at)
            if entry.action == ENDED:
                end = at
            else:
                held.append(Stretch(self._plans[entry.facts["plan"]], at, end))
        return held


def entries_about(subscription_ids: Iterable[int]) -> dict[int, list[AuditEntry]]:
    """By subscription: all that was agreed about its plans and the prices that it keeps, in order."""
    return _entries(subscription_ids, actions=(*ABOUT_PLANS, *ABOUT_KEPT), number=None)


def agreed_before(subscription_ids: Iterable[int], *, number: int | None = None) -> dict[int, list[AuditEntry]]:
    """By subscription: what was agreed about its plans before this entry of the audit chain, in order."""
    return _entries(subscription_ids, actions=ABOUT_PLANS, number=number)


def kept_of(subscription_ids: Iterable[int], *, number: int | None = None) -> dict[int, list[Kept]]:
    """By subscription, in order of time: the older prices that it keeps, by what was agreed before this entry."""
    ids = list(subscription_ids)
    rows = list(KeptPrices.objects.filter(subscription__in=ids).select_related("plan").order_by("starts_at"))
    if not rows:
        return {}
    entries = _entries(ids, actions=ABOUT_KEPT, number=number)
    found: dict[int, list[Kept]] = defaultdict(list)
    for row in rows:
        ends = tuple(_ends(row, entries[row.subscription_id]))
        if ends:
            found[row.subscription_id].append(Kept(row, ends))
    return found


def drafts_of(invoice_ids: Iterable[int]) -> dict[int, AuditEntry]:
    """By invoice: the entry of the audit chain that says it was drafted."""
    moves = InvoiceTransition.objects.filter(invoice__in=set(invoice_ids), revision=0).select_related("audit_entry")
    return {move.invoice_id: move.audit_entry for move in moves}


def instant_of(entry: AuditEntry) -> datetime:
    return datetime.fromisoformat(entry.facts[INSTANT_OF[entry.action]])


def _entries(
    subscription_ids: Iterable[int], *, actions: Sequence[str], number: int | None
) -> dict[int, list[AuditEntry]]:
    found: dict[int, list[AuditEntry]] = {pk: [] for pk in subscription_ids}
    subjects = {f"subscription:{pk}": pk for pk in found}
    entries = AuditEntry.objects.filter(subject__in=subjects, action__in=actions)
    if number is not None:
        entries = entries.filter(pk__lt=number)
    for entry in entries.order_by("pk"):
        found[subjects[entry.subject]].append(entry)
    return found


def _ends(row: KeptPrices, entries: Sequence[AuditEntry]) -> Iterator[KeptEnd]:
    """From the entry that agreed on it, each that moved its end; older entries name no plan, but the end they move."""
    until: datetime | None = None
    for entry in entries:
        facts: Mapping[str, str] = entry.facts
        if entry.action == PRICES_KEPT:
            if (facts["plan"], _read(facts["since"])) == (row.plan.code, row.starts_at):
                until = _read(facts["until"])
                yield KeptEnd(entry, until)
        elif until is not None and facts.get("plan", row.plan.code) == row.plan.code:
            end = _read(facts["ends_at"])
            if row.starts_at < end < until and _read(facts.get("from", until.isoformat())) == until:
                until = end
                yield KeptEnd(entry, end)


def _read(text: str) -> datetime:
    return datetime.fromisoformat(text)
