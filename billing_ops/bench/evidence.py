"""How long the trace of a line takes, summary and first page, and how fast a pack is built against a plain COPY TO.

It bills customers of its own, after the close has made the seller, the policy and the tax rate.
"""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from statistics import median
from typing import Any

from django.contrib.auth.models import Group, User
from django.db import connection
from django.utils import timezone

from accounts.models import Customer
from accounts.roles import Role
from billing_ops.bench.close import AGREED, END, START, TIERS
from billing_ops.bench.rows import BenchError, BenchRow
from compliance.evidence import events, trace
from compliance.evidence.pack import make
from invoicing.cycle import close
from invoicing.cycle.models import InvoiceLine
from invoicing.pricing import plans, prices, subscribe
from invoicing.pricing.models import Plan
from metering import contracts, meters
from metering.models import EventContract
from metering.rules.drafting import ContractDraft

EVENT_TYPE = "bench.evidence"
SIZES = (1_000, 100_000, 1_000_000)
SUMMARY_SECONDS_MAX, PAGE_SECONDS_MAX = 2.0, 0.05  # what is promised
PAGE = 100
PACKED_MAX = 100_000  # events of the line whose pack is built
# As capture would have left them, with fingerprints that the walk can make again.
EVENTS = """
INSERT INTO metering_usageevent (source, event_id, customer_id, contract_id, contract_version_id, batch_id, occurred_at,
                                 received_at, fingerprint, data)
SELECT 'bench/evidence', made.id, %(customer)s, %(contract)s, %(version)s, 0, made.at, now(),
       sha256(convert_to('["bench/evidence","' || made.id || '","' || %(type)s || '","' || %(code)s || '","'
                         || to_char(made.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') || '"]' || chr(10)
                         || '{"tokens":' || made.number %% 4000 || '}' || chr(10) || 'null', 'UTF8')),
       jsonb_build_object('tokens', made.number %% 4000)
FROM (SELECT number, %(code)s || '-' || number AS id, %(start)s + number * interval '2 seconds' AS at
      FROM generate_series(0, %(events)s - 1) AS number) made
"""
KEYS = """
INSERT INTO metering_eventkey (source, event_id, seq, occurred_at, batch_id, fingerprint)
SELECT source, event_id, seq, occurred_at, batch_id, fingerprint FROM metering_usageevent WHERE contract_id = %s
"""
BARE = "COPY (SELECT * FROM metering_usageevent WHERE customer_id = {} ORDER BY seq) TO STDOUT"


def run(*, sizes: Sequence[int] = SIZES, rounds: int = 5) -> list[BenchRow]:
    """For each size a line over so many events; the pack of the largest that is not beyond PACKED_MAX."""
    plan, contract = _furnish()
    customers = [_load(plan, contract, events=size) for size in sizes]
    with connection.cursor() as cursor:
        cursor.execute(KEYS, [contract.pk])
        cursor.execute("VACUUM ANALYZE metering_usageevent")
    close.close_cycles(as_of=END, at=timezone.now(), customer_codes=[one.code for one in customers])
    lines = [InvoiceLine.objects.get(invoice__customer=one, meter_code=EVENT_TYPE) for one in customers]
    rows = [row for line, size in zip(lines, sizes, strict=True) for row in _trace_rows(line, size, rounds=rounds)]
    packed = max(size for size in sizes if size <= PACKED_MAX)
    return [*rows, _pack_row(lines[sizes.index(packed)], packed)]


def _trace_rows(line: InvoiceLine, size: int, *, rounds: int) -> list[BenchRow]:
    walked = trace.trace_line(line_id=line.pk, is_thorough=False)
    snapshot = walked.snapshot
    if snapshot is None or not walked.is_equal or snapshot.event_count != size:
        raise BenchError(f"the line over {size} events does not trace")
    after = events.page_of_events(snapshot, after_seq=0, limit=1).events[0].row.seq + size // 2
    summary = median(_seconds(lambda: trace.trace_line(line_id=line.pk, is_thorough=False)) for _ in range(rounds))
    pages = [
        _seconds(partial(events.page_of_events, snapshot, after_seq=seq, limit=PAGE))
        for seq in (0, after)
        for _ in range(rounds)
    ]
    name = f"trace of a line of {size:,} events"
    return [
        _against(f"{name}, summary", summary, SUMMARY_SECONDS_MAX),
        _against(f"{name}, a page of {PAGE}", median(pages), PAGE_SECONDS_MAX),
    ]


def _against(name: str, seconds: float, most: float) -> BenchRow:
    return BenchRow(name=name, value=seconds, unit="s", limit=most, ratio=seconds / most)


def _pack_row(line: InvoiceLine, size: int) -> BenchRow:
    seconds = _seconds(lambda: make.make_pack(invoice=line.invoice, line=line, actor=None, at=timezone.now()))
    bare = size / _seconds(lambda: _copy(line.invoice.customer_id))
    rate = size / seconds
    return BenchRow(
        name=f"evidence pack of a line of {size:,} events", value=rate, unit="events/s", limit=bare, ratio=rate / bare
    )


def _copy(customer_id: int) -> None:
    with connection.cursor() as cursor, cursor.copy(BARE.format(customer_id)) as copy:
        for _ in copy:
            continue


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _furnish() -> tuple[Plan, EventContract]:
    at = timezone.now()
    actor = _person("bench-evidence", Role.ENGINEERING, Role.FINANCE)
    draft = ContractDraft(
        schema={"type": "object", "properties": {"tokens": {"type": "integer"}}, "required": ["tokens"]},
        billing_fields=["tokens"],
        valid_examples=[{"tokens": 1}],
        invalid_examples=[{"data": [], "code": "data_not_object", "pointer": "/data"}],
    )
    contract = contracts.open_contract(
        event_type=EVENT_TYPE, description="Tokens.", draft=draft, is_activated=True, actor=actor, at=at
    )
    meter = meters.create_meter(
        code=EVENT_TYPE,
        name="Tokens",
        definition="Tokens of completions.",
        exclusions="",
        unit="token",
        contract=contract,
        aggregation="sum",
        value_property="tokens",
        owner=actor,
    )
    plan = plans.create_plan(
        code="bench-evidence", name="Evidence", currency="EUR", proration_unit="day", actor=actor, at=at
    )
    approver = _person("bench-approver", Role.FINANCE)
    plans.approve_version(pk=plan.versions.get().pk, actor=approver, at=at)
    charge = plans.add_charge(plan=plan, code="tokens", name="Tokens", meter=meter)
    price = prices.propose_price_version(
        charge=charge, model="graduated", params=TIERS, effective_at=AGREED, actor=actor, at=at
    )
    prices.approve_price_version(pk=price.pk, actor=approver, at=at)
    return plan, contract


def _person(name: str, *roles: Role) -> User:
    user, _ = User.objects.get_or_create(username=name, defaults={"is_staff": True})
    user.groups.set(Group.objects.filter(name__in=roles))
    return user


def _load(plan: Plan, contract: EventContract, *, events: int) -> Customer:
    """A customer with so many events in the month, one every two seconds."""
    if timedelta(seconds=2) * events > END - START:
        raise BenchError(f"{events} events do not fit into the month")
    code = f"evidence-{events}"
    customer = Customer.objects.create(code=code, legal_name=code, currency="EUR", tax_rate_code="vat")
    subscribe.start_subscription(
        customer=customer,
        plan=plan,
        starts_at=START,
        actor=_person("bench-evidence", Role.ENGINEERING, Role.FINANCE),
        at=timezone.now(),
    )
    values: dict[str, Any] = {
        "customer": customer.pk,
        "code": code,
        "contract": contract.pk,
        "version": contract.versions.get().pk,
        "type": EVENT_TYPE,
        "start": START,
        "events": events,
    }
    with connection.cursor() as cursor:
        cursor.execute(EVENTS, values)
    return customer
