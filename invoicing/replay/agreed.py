"""What was agreed with these customers and by whom usage is measured, each row with the instant it counts from."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db.models import Model, Q

from accounts.models import Customer, Seller
from core.models import AuditEntry
from invoicing.cycle.undisturbed import ABOUT_PLANS
from invoicing.policy.models import PolicyBeginning, TriggerPolicy
from invoicing.pricing.models import (
    Charge,
    FeeProgram,
    FeeProgramVersion,
    InvoiceTerm,
    KeptPrices,
    Plan,
    PlanVersion,
    PriceVersion,
    ProposalStatus,
    Subscription,
    SubscriptionPhase,
    SubscriptionQuantity,
    TaxRate,
)
from invoicing.replay import rows
from invoicing.replay.rules import content as contents
from metering.models import EventContract, EventContractVersion, Meter, MeterVersion

Row = dict[str, Any]
Tables = Mapping[str, Sequence[Row]]
# The column that says since when a row was known; what has none was always there.
KNOWN_SINCE = {
    "metering_eventcontractversion": "activated_at",
    "metering_meterversion": "decided_at",
    "pricing_planversion": "decided_at",
    "pricing_feeprogramversion": "decided_at",
    "pricing_priceversion": "decided_at",
    "pricing_taxrate": "created_at",
    "pricing_subscription": "created_at",
    "pricing_subscriptionphase": "created_at",
    "pricing_subscriptionquantity": "created_at",
    "pricing_keptprices": "created_at",
    "pricing_invoiceterm": "decided_at",
    "policy_triggerpolicy": "decided_at",
    "policy_policybeginning": "at",
}
CONTRACTS, METERS, PHASES = "metering_eventcontractversion", "metering_meterversion", "pricing_subscriptionphase"
SUBSCRIPTIONS = "pricing_subscription"
ENDED = ABOUT_PLANS[-1]
Ends = Mapping[int, Sequence[tuple[datetime, datetime]]]  # by subscription, in order: when it was agreed, and the end
# Nobody is named in a set.
BLANK: dict[str, Row] = {
    "accounts_customer": {"address": "", "tax_id": "", "email": "", "name_marks": [], "personal_key_id": None},
    "accounts_seller": {"email": "", "bank_details": "", "logo_svg": ""},
}


@dataclass(frozen=True, slots=True)
class DatedRows:
    """Rows by table; asked for stretch by stretch of time."""

    tables: Tables
    ends: Ends = field(default_factory=dict)

    def known_by(self, instant: datetime, *, without_it: bool = False) -> Tables:
        """How every table stood at this instant, or just before it."""
        found = {}
        for table, own in self.tables.items():
            known = [row for row in own if _is_known(table, row, instant=instant, without_it=without_it)]
            if table == CONTRACTS:
                known = _in_force(known)
            if table == PHASES:
                known = self._as_laid_out(known, instant=instant)
            if table == SUBSCRIPTIONS:
                known = [row | {"ends_at": self._end_of(row["id"], instant=instant)} for row in known]
            found[table] = known
        return found

    def _as_laid_out(self, known: Sequence[Row], *, instant: datetime) -> list[Row]:
        """The last phase of each subscription ends with it, as far as an end was agreed by then."""
        last = {row["subscription_id"]: row["id"] for row in sorted(known, key=_start_of)}
        return [
            row | {"ends_at": self._end_of(row["subscription_id"], instant=instant)}
            if row["id"] == last[row["subscription_id"]]
            else row
            for row in known
        ]

    def _end_of(self, subscription_id: int, *, instant: datetime) -> str | None:
        agreed = [end for at, end in self.ends.get(subscription_id, ()) if at <= instant]
        return agreed[-1].astimezone(UTC).isoformat() if agreed else None

    def contract_instants(self, *, after: datetime | None, up_to: datetime) -> list[datetime]:
        """When versions of contracts came into force in this time."""
        instants = {contents.read_instant(row["activated_at"]) for row in self.tables.get(CONTRACTS, ())}
        return sorted(each for each in instants if (after is None or after < each) and each <= up_to)


def read_agreements(customers: Sequence[Customer], *, event_types: Collection[str]) -> DatedRows:
    """Every row that decides what these customers are billed."""
    ids = [customer.pk for customer in customers]
    subscriptions = Subscription.objects.filter(customer__in=ids)
    phases = SubscriptionPhase.objects.filter(subscription__in=subscriptions)
    plans = Plan.objects.filter(pk__in=phases.values("plan"))
    charges = Charge.objects.filter(plan__in=plans)
    contracts = EventContract.objects.filter(Q(event_type__in=event_types) | Q(meters__charges__in=charges))
    meters = Meter.objects.filter(contract__in=contracts)
    prices = PriceVersion.objects.filter(charge__in=charges, status=ProposalStatus.APPROVED)
    programs = FeeProgram.objects.filter(code__in=_programs_named(prices.values_list("params", flat=True)))
    policies = TriggerPolicy.objects.filter(
        program__in={customer.program for customer in customers}, status=TriggerPolicy.Status.SIGNED
    )
    approved = {"status": ProposalStatus.APPROVED}
    wanted: dict[type[Model], Any] = {
        Seller: Seller.objects.all(),
        Customer: Customer.objects.filter(pk__in=ids),
        EventContract: contracts,
        EventContractVersion: EventContractVersion.objects.filter(contract__in=contracts, activated_at__isnull=False),
        Meter: meters,
        MeterVersion: MeterVersion.objects.filter(meter__in=meters, status="approved"),
        Plan: plans,
        PlanVersion: PlanVersion.objects.filter(plan__in=plans, **approved),
        Charge: charges,
        FeeProgram: programs,
        FeeProgramVersion: FeeProgramVersion.objects.filter(program__in=programs, **approved),
        PriceVersion: prices,
        TaxRate: TaxRate.objects.filter(code__in={customer.tax_rate_code for customer in customers}),
        Subscription: subscriptions,
        SubscriptionPhase: phases,
        SubscriptionQuantity: SubscriptionQuantity.objects.filter(subscription__in=subscriptions),
        KeptPrices: KeptPrices.objects.filter(subscription__in=subscriptions),
        InvoiceTerm: InvoiceTerm.objects.filter(Q(plan__in=plans) | Q(subscription__in=subscriptions), **approved),
        TriggerPolicy: policies,
        PolicyBeginning: PolicyBeginning.objects.filter(policy__in=policies),
    }
    return DatedRows(
        {
            model._meta.db_table: [
                _without_names(model._meta.db_table, row)
                for row in rows.read_rows(model, found.values_list("pk", flat=True))
            ]
            for model, found in wanted.items()
        },
        ends=_ends_of(subscriptions.values_list("pk", flat=True)),
    )


def _ends_of(subscription_ids: Iterable[int]) -> Ends:
    """Every end that was ever agreed; a subscription's own row has only the last one."""
    subjects = {f"subscription:{pk}": pk for pk in subscription_ids}
    found: dict[int, list[tuple[datetime, datetime]]] = defaultdict(list)
    for entry in AuditEntry.objects.filter(subject__in=subjects, action=ENDED).order_by("pk"):
        found[subjects[entry.subject]].append((entry.recorded_at, contents.read_instant(entry.facts["ends_at"])))
    return found


def _programs_named(params: Any) -> set[str]:
    return {one["program"] for one in params if isinstance(one, dict) and isinstance(one.get("program"), str)}


def _without_names(table: str, row: Row) -> Row:
    blank: Row = {**BLANK.get(table, {})}
    if table == "accounts_customer":
        blank["legal_name"] = f"Customer {row['id']}"
    if table == "policy_policybeginning":
        blank["audit_entry_id"] = None  # the chain is not taken along
    return row | blank


def changes(before: Tables, after: Tables) -> dict[str, list[Row]]:
    """What has to be put there so that the tables stand as they did after."""
    found = {table: [row for row in own if row not in before.get(table, ())] for table, own in after.items()}
    return {table: own for table, own in found.items() if own}


def _is_known(table: str, row: Row, *, instant: datetime, without_it: bool) -> bool:
    is_first = table == METERS and row["version"] == 1  # it was made with its meter and was there always
    column = None if is_first else KNOWN_SINCE.get(table)
    if column is None or row[column] is None:
        return True
    since = contents.read_instant(row[column])
    return since < instant or (since == instant and not without_it)


def _in_force(versions: Sequence[Row]) -> list[Row]:
    """Of each contract the version activated last is in force; retired ones come first, as one ends the other."""
    latest: dict[int, Row] = {}
    for row in sorted(versions, key=lambda row: contents.read_instant(row["activated_at"])):
        latest[row["contract_id"]] = row
    told = [row | {"status": "active" if latest[row["contract_id"]] is row else "retired"} for row in versions]
    return sorted(told, key=lambda row: (row["status"] == "active", row["id"]))


def _start_of(phase: Row) -> datetime:
    return contents.read_instant(phase["starts_at"])
