"""How long a close takes, from raw events to reconciled drafts, against a bare GROUP BY of the same events.

The bare way counts and sums the events once and copies the lines into a table without a key; the close also keeps
snapshots with their digests, rates, drafts, and counts everything a second time to reconcile.
"""

import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from statistics import median
from typing import Any

from django.contrib.auth.models import Group, User
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Customer, Seller
from accounts.roles import Role
from billing_ops.bench.rows import BenchError, BenchRow
from invoicing.cycle import close
from invoicing.cycle.models import InvoiceLine
from invoicing.policy import propose, sign
from invoicing.policy.rules import signing
from invoicing.pricing import plans, prices
from invoicing.pricing.models import Charge, Plan, Subscription, SubscriptionPhase
from metering import contracts, meters
from metering.models import EventContract, Meter
from metering.rules.drafting import ContractDraft

EVENT_TYPE = "bench.completion"
# Meter, and after how many events the units that they carry begin again.
METERS = {"input_tokens": 4000, "output_tokens": 900, "cached_tokens": 700, "images": 50, "tool_seconds": 300}
AGREED = datetime(2026, 9, 1, tzinfo=UTC)
START, END = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
BATCH_SIZE = 1000
TIERS = {
    "tiers": [
        {"up_to": "1000", "unit_amount": "0.00002", "flat_amount": "0"},
        {"up_to": None, "unit_amount": "0.000015", "flat_amount": "0"},
    ]
}
# The events come in order of time, one customer after the other, in batches of a thousand, as capture would store them.
EVENTS = """
INSERT INTO metering_usageevent (seq, source, event_id, customer_id, contract_id, contract_version_id, batch_id,
                                 occurred_at, received_at, fingerprint, data)
SELECT number, 'bench/eu-1', 'evt-' || number, (%(customers)s::bigint[])[1 + number %% cardinality(%(customers)s)],
       %(contract)s, %(version)s, %(batch)s + (number - 1) / %(size)s,
       %(start)s + (number - 1) * ((%(end)s::timestamptz - %(start)s::timestamptz) / %(events)s), clock_timestamp(),
       sha256(('evt-' || number)::bytea),
       jsonb_build_object(
           'input_tokens', number %% 4000, 'output_tokens', number %% 900, 'cached_tokens', number %% 700,
           'images', number %% 50, 'tool_seconds', number %% 300, 'model', 'large-v3')
  FROM generate_series(1, %(events)s) AS number
"""
MONTH = "SELECT metering_add_partition(%(start)s::date)"
KEYS = """
INSERT INTO metering_eventkey (source, event_id, seq, occurred_at, batch_id, fingerprint)
SELECT source, event_id, seq, occurred_at, batch_id, fingerprint FROM metering_usageevent
"""
BATCHES = """
INSERT INTO metering_capturebatch (id, channel, origin, received_at, received, accepted, duplicates, quarantined,
                                   tallies, first_seq, last_seq)
SELECT batch_id, 'http', 'bench', max(received_at), count(*), count(*), 0, 0,
       jsonb_build_array(jsonb_build_object('source', 'bench/eu-1', 'type', %(type)s, 'accepted', count(*),
                                            'duplicates', 0, 'quarantined', 0)),
       min(seq), max(seq)
  FROM metering_usageevent GROUP BY batch_id
"""
SEQUENCES = """
SELECT setval(pg_get_serial_sequence('metering_usageevent', 'seq'), (SELECT max(seq) FROM metering_usageevent)),
       setval(pg_get_serial_sequence('metering_capturebatch', 'id'), (SELECT max(id) FROM metering_capturebatch))
"""
BARE_SUMS = """
SELECT customer_id, count(*), sum((data ->> 'input_tokens')::numeric), sum((data ->> 'output_tokens')::numeric),
       sum((data ->> 'cached_tokens')::numeric), sum((data ->> 'images')::numeric),
       sum((data ->> 'tool_seconds')::numeric)
  FROM metering_usageevent
 WHERE contract_id = %(contract)s AND occurred_at >= %(start)s AND occurred_at < %(end)s
 GROUP BY customer_id
"""


def run(*, subscriptions: int = 10_000, events: int = 1_000_000, rounds: int = 3) -> list[BenchRow]:
    """One close of a month, and the median of `rounds` of the bare way; in a database that has no events yet.

    The last row is how much of the close was work in Python, of all its processes together.
    """
    contract = _furnish(subscriptions, at=timezone.now())
    _load_events(contract, events=events)
    bare_sums = median(_seconds(lambda: _sum_bare(contract)) for _ in range(rounds))
    began = _seconds_in_python()
    seconds = _seconds(lambda: _close(subscriptions))
    in_python = _seconds_in_python() - began
    bare = bare_sums + _seconds_of_copy()
    _require_every_unit(events)
    name = f"closing {subscriptions:,} subscriptions with {events:,} events"
    value, limit = events / seconds, events / bare
    return [
        BenchRow(name=name, value=value, unit="events/s", limit=limit, ratio=value / limit),
        BenchRow(name=f"{name}, as time", value=seconds, unit="s", limit=bare, ratio=seconds / bare),
        BenchRow(
            name=f"{name}, in Python",
            value=in_python,
            unit="s",
            limit=seconds,
            ratio=in_python / seconds,
        ),
    ]


def _seconds_in_python() -> float:
    """Of this process and of those beside it that have ended; PostgreSQL works in others."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _furnish(subscriptions: int, *, at: datetime) -> EventContract:
    """A seller, one contract with five meters, a plan with a fee and five metered charges, and everybody on it."""
    actor, _ = User.objects.get_or_create(username="bench-close", defaults={"is_staff": True})
    actor.groups.set(Group.objects.filter(name__in=[Role.ENGINEERING, Role.FINANCE]))
    Seller.objects.create(code="bench", legal_name="Bench GmbH", address="Hafen 1", country="DE")
    _sign_a_policy(actor, at=at)
    prices.add_tax_rate(
        code="vat", name="VAT", category="S", percent=Decimal(19), effective_at=AGREED, note="", actor=actor, at=at
    )
    contract = _open_contract(actor, at=at)
    plan = plans.create_plan(code="bench", name="Bench", currency="EUR", proration_unit="day", actor=actor, at=at)
    plans.approve_version(pk=plan.versions.get().pk, actor=_approver(), at=at)
    fee = plans.add_charge(plan=plan, code="base", name="Base fee", meter=None)
    _set_price(fee, model="flat", params={"amount": "29.00"}, actor=actor, at=at)
    for meter in Meter.objects.filter(contract=contract):
        charge = plans.add_charge(plan=plan, code=meter.code, name=meter.name, meter=meter)
        _set_price(charge, model="graduated", params=TIERS, actor=actor, at=at)
    codes = [f"close-{number}" for number in range(subscriptions)]
    customers = [Customer(code=code, legal_name=code, currency="EUR", tax_rate_code="vat") for code in codes]
    _subscribe(Customer.objects.bulk_create(customers), plan=plan, at=at)
    return contract


def _subscribe(customers: Sequence[Customer], *, plan: Plan, at: datetime) -> None:
    """All at once: one by one would take longer than what is measured."""
    with transaction.atomic():
        subscriptions = Subscription.objects.bulk_create(
            Subscription(customer=customer, anchor_date=START.date(), time_zone="UTC", starts_at=START, created_at=at)
            for customer in customers
        )
        SubscriptionPhase.objects.bulk_create(
            SubscriptionPhase(subscription=each, plan=plan, starts_at=START, created_at=at) for each in subscriptions
        )


def _sign_a_policy(author: User, *, at: datetime) -> None:
    """Without a policy in force nothing is invoiced."""
    policy = propose.propose_policy(
        program="standard", terms={}, effective_at=at, reason="The benchmark bills.", actor=author, at=at
    )
    for role in signing.SIGNING_ROLES:
        signer, _ = User.objects.get_or_create(username=f"bench-{role}", defaults={"is_staff": True})
        signer.groups.set(Group.objects.filter(name=role))
        sign.sign_policy(policy_id=policy.pk, content_hash=policy.content_hash, role=role, actor=signer, at=at)


def _set_price(charge: Charge, *, model: str, params: dict[str, Any], actor: User, at: datetime) -> None:
    price = prices.propose_price_version(
        charge=charge, model=model, params=params, effective_at=AGREED, actor=actor, at=at
    )
    prices.approve_price_version(pk=price.pk, actor=_approver(), at=at)


def _approver() -> User:
    user, _ = User.objects.get_or_create(username="bench-approver", defaults={"is_staff": True})
    user.groups.set(Group.objects.filter(name=Role.FINANCE))
    return user


def _open_contract(actor: User, *, at: datetime) -> EventContract:
    numbers = {name: {"type": "integer", "minimum": 0} for name in METERS}
    draft = ContractDraft(
        schema={"type": "object", "properties": {**numbers, "model": {"type": "string"}}, "required": list(METERS)},
        billing_fields=list(METERS),
        valid_examples=[dict.fromkeys(METERS, 1)],
        invalid_examples=[{"data": [], "code": "data_not_object", "pointer": "/data"}],
    )
    contract = contracts.open_contract(
        event_type=EVENT_TYPE, description="Completions.", draft=draft, is_activated=True, actor=actor, at=at
    )
    for name in METERS:
        meters.create_meter(
            code=name,
            name=name.replace("_", " ").capitalize(),
            definition="Tokens of completions.",
            exclusions="",
            unit="token",
            contract=contract,
            aggregation="sum",
            value_property=name,
            owner=actor,
        )
    return contract


def _load_events(contract: EventContract, *, events: int) -> None:
    """Straight into the tables, consistent with what capture writes."""
    values: dict[str, Any] = {
        "customers": list(Customer.objects.filter(tax_rate_code="vat").order_by("pk").values_list("pk", flat=True)),
        "contract": contract.pk,
        "version": contract.versions.get().pk,
        "batch": 1,
        "size": BATCH_SIZE,
        "events": events,
        "start": START,
        "end": END,
    }
    with connection.cursor() as cursor:
        cursor.execute(MONTH, values)
        cursor.execute(EVENTS, values)
        cursor.execute(KEYS)
        cursor.execute(BATCHES, {"type": EVENT_TYPE})
        cursor.execute(SEQUENCES)
        cursor.execute("VACUUM ANALYZE metering_usageevent")  # as autovacuum does beside a running month


def _sum_bare(contract: EventContract) -> None:
    with connection.cursor() as cursor:
        cursor.execute(BARE_SUMS, {"contract": contract.pk, "start": START, "end": END})
        cursor.fetchall()


def _close(subscriptions: int) -> None:
    report = close.close_cycles(as_of=END, at=timezone.now())
    if report.drafted != subscriptions or report.held or report.failed:
        raise BenchError(f"{report.drafted} drafts, {report.held} held, {len(report.failed)} failed")


def _seconds_of_copy() -> float:
    """The lines of all drafts once more, by one COPY into a table that has neither key nor constraint."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_lines AS SELECT * FROM cycle_invoiceline WITH NO DATA")
        with cursor.copy("COPY cycle_invoiceline TO STDOUT") as copy:
            text = b"".join(bytes(part) for part in copy)

    def copy_in() -> None:
        with connection.cursor() as cursor, cursor.copy("COPY bench_lines FROM STDIN") as copy:
            copy.write(text)

    return _seconds(copy_in)


def _require_every_unit(events: int) -> None:
    """A figure for a close that lost usage would mean nothing."""
    wanted = {name: sum(number % modulus for number in range(1, events + 1)) for name, modulus in METERS.items()}
    for name, units in wanted.items():
        billed = sum(InvoiceLine.objects.filter(meter_code=name).values_list("quantity", flat=True))
        if billed != units:
            raise BenchError(f"{billed} of {units} {name} were billed")
