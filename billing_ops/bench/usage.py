"""How soon live usage shows what was captured at 5,000 events a second, and what a year costs beside a month.

The worker's round of sums runs beside the senders all the while, as it does in an installation. Every total is held
against what was sent by then: a fresh figure that is wrong would be worth nothing.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import quantiles
from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from accounts.models import Customer
from billing_ops.bench.rows import BenchError, BenchRow
from metering import contracts, ingest, meters, queries, rollups
from metering.models import Meter
from metering.rules.drafting import ContractDraft

EVENT_TYPE = "bench.live"
NOT_DATA = {"data": {}, "code": "billing_field_missing", "pointer": "/data/input_tokens"}
RATE, BATCH = 5_000, 1_000
FRESH_SECONDS_MAX = 5.0  # what is promised
ROUND_SECONDS = 5
# A past of one event every few minutes for a year, written as capture would have left it.
_PAST = """
INSERT INTO metering_usageevent (source, event_id, customer_id, contract_id, contract_version_id, batch_id, occurred_at,
                                 received_at, fingerprint, data)
SELECT 'bench/past', 'past-' || number, %(customer)s, %(contract)s, %(version)s, 0,
       %(start)s + number * (interval '363 days' / %(events)s), now(), sha256(number::text::bytea),
       jsonb_build_object('input_tokens', 1, 'output_tokens', 1)
FROM generate_series(0, %(events)s - 1) AS number
"""


def run(*, seconds: int = 12, past: int = 200_000) -> list[BenchRow]:
    """Both figures over one customer who has used something all year."""
    meter, customer = _furnish(past)
    while not rollups.roll_up().is_done:
        continue
    delays = _send_and_look(meter, customer, seconds=seconds, past=past)
    fresh = quantiles(delays, n=20)[-1]
    now = timezone.now()
    year = _seconds(lambda: _total(meter, customer, start=now - timedelta(days=365)))
    month = _seconds(lambda: _total(meter, customer, start=now - timedelta(days=30)))
    return [
        BenchRow(
            name=f"live usage at {RATE:,} events/s: captured to shown, p95",
            value=fresh,
            unit="s",
            limit=FRESH_SECONDS_MAX,
            ratio=fresh / FRESH_SECONDS_MAX,
        ),
        BenchRow(
            name="live usage: a year's total against a month's", value=year, unit="s", limit=month, ratio=year / month
        ),
    ]


def _furnish(past: int) -> tuple[Meter, Customer]:
    at = timezone.now()
    owner = User.objects.create(username="bench-live", is_staff=True)
    example = {"input_tokens": 1}
    schema = {"type": "object", "properties": {"input_tokens": {"type": "integer"}}, "required": ["input_tokens"]}
    draft = ContractDraft(
        schema=schema, billing_fields=list(example), valid_examples=[example], invalid_examples=[NOT_DATA]
    )
    contract = contracts.open_contract(
        event_type=EVENT_TYPE,
        description="Tokens of the benchmark.",
        draft=draft,
        is_activated=True,
        actor=owner,
        at=at,
    )
    customer = Customer.objects.create(code="bench-live", legal_name="Live", currency="EUR")
    meter = meters.create_meter(
        code="bench-live",
        name="Tokens",
        definition="Tokens of the benchmark.",
        exclusions="",
        unit="token",
        contract=contract,
        aggregation="sum",
        value_property="input_tokens",
        owner=owner,
    )
    parameters: dict[str, Any] = {
        "customer": customer.pk,
        "contract": contract.pk,
        "version": contract.versions.get(status="active").pk,
        "start": at - timedelta(days=364),
        "events": past,
    }
    with connection.cursor() as cursor:
        cursor.execute(_PAST, parameters)
        cursor.execute("ANALYZE metering_usageevent")
    return meter, customer


def _send_and_look(meter: Meter, customer: Customer, *, seconds: int, past: int) -> list[float]:
    """Send at the rate, and after each delivery measure how long it takes until a total shows it."""
    is_over = threading.Event()
    rounds = threading.Thread(target=_roll_up_until, args=(is_over,), daemon=True)
    rounds.start()
    delays, sent, began = [], 0, time.perf_counter()
    start = datetime(timezone.now().year - 1, 1, 1, tzinfo=UTC)
    try:
        for number in range(seconds * RATE // BATCH):
            time.sleep(max(0.0, began + number * BATCH / RATE - time.perf_counter()))
            sent += _deliver(customer, number)
            committed = time.perf_counter()
            if _total(meter, customer, start=start) != past + sent:
                raise BenchError("a total does not show what was captured")
            delays.append(time.perf_counter() - committed)
    finally:
        is_over.set()
        rounds.join()
    return delays


def _deliver(customer: Customer, number: int) -> int:
    now = timezone.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    events: list[Any] = [
        {
            "specversion": "1.0",
            "id": f"live-{number}-{place}",
            "source": "bench/live",
            "type": EVENT_TYPE,
            "subject": customer.code,
            "time": now,
            "data": {"input_tokens": 1, "output_tokens": 1},
        }
        for place in range(BATCH)
    ]
    return ingest.capture_events(events, channel="http", origin="bench", at=timezone.now()).accepted


def _roll_up_until(is_over: threading.Event) -> None:
    while not is_over.wait(ROUND_SECONDS):
        rollups.roll_up()
    connection.close()


def _total(meter: Meter, customer: Customer, *, start: datetime) -> int:
    found = queries.live_usage(
        customer_id=customer.pk, meter=meter, start=start, end=timezone.now() + timedelta(hours=1)
    )
    return int(sum(row.quantity for row in found.rows))


def _seconds(work: Callable[[], object]) -> float:
    """The best of five: what it costs, and not what else the machine does."""
    taken = []
    for _ in range(5):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken)
