"""How many events a second come in by HTTP, against a plain COPY of the same rows into the same PostgreSQL.

Everything counts: the sender on the same cores, the API key, reading, the contract check, deduplication, one commit
with fsync per request. The events stay where they came in, so this belongs on a database of its own.
"""

import http.client
import socket
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import orjson
from django.contrib.auth.models import Group, User
from django.db import connection
from django.utils import timezone

from accounts import keys
from accounts.models import Customer, Scope
from accounts.roles import Role
from billing_ops import processes
from billing_ops.bench.rows import BenchError, BenchRow
from metering import contracts
from metering.rules.drafting import ContractDraft

EVENT_TYPE = "bench.tokens"
CUSTOMERS = 200
CONNECTIONS = 4
SCHEMA = {
    "type": "object",
    "properties": {
        "input_tokens": {"type": "integer", "minimum": 0},
        "output_tokens": {"type": "integer", "minimum": 0},
        "model": {"type": "string", "maxLength": 40},
        "region": {"type": "string", "maxLength": 40},
    },
    "required": ["input_tokens", "output_tokens"],
}
BARE_TABLE = """
CREATE TABLE bench_bare (
    source text, event_id text, customer_id bigint, contract_id bigint, batch_id bigint,
    occurred_at timestamptz, received_at timestamptz, fingerprint bytea, data jsonb
)
"""
Batch = list[dict[str, Any]]


def run(*, rounds: int = 5, events: int = 60_000, sizes: Sequence[int] = (1000, 100)) -> list[BenchRow]:
    """Both ways in turn, so that what else the machine does meets both; medians of `rounds`."""
    authorization = f"Bearer {_furnish(timezone.now())}"
    port = _free_port()
    web = processes.start_web(port=port, log=Path("/dev/null"))
    try:
        send = partial(_send_all, port=port, authorization=authorization)
        return [_measure(size, rounds=rounds, events=events, send=send) for size in sizes]
    finally:
        processes.stop([web])


def _measure(size: int, *, rounds: int, events: int, send: "partial[None]") -> BenchRow:
    ours, theirs = [], []
    _make_bare_table()
    for _round in range(rounds):
        batches = list(_batches(count=events // size, size=size))
        bodies, copies = [orjson.dumps(batch) for batch in batches], [_copy_text(batch) for batch in batches]
        theirs.append(_seconds(partial(_copy_all, copies)))
        ours.append(_seconds(partial(send, bodies)))
    value, limit = events / median(ours), events / median(theirs)
    name = f"HTTP ingest, batches of {size:,}"
    return BenchRow(name=name, value=value, unit="events/s", limit=limit, ratio=value / limit)


def _seconds(work: "partial[None]") -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _furnish(at: datetime) -> str:
    """Customers, a contract in force, and the key of an engineer."""
    engineer, _ = User.objects.get_or_create(username="bench", defaults={"is_staff": True})
    engineer.groups.add(Group.objects.get(name=Role.ENGINEERING))
    codes = [f"bench-{number}" for number in range(CUSTOMERS)]
    rows = [Customer(code=code, legal_name=code, currency="EUR") for code in codes]
    Customer.objects.bulk_create(rows, ignore_conflicts=True)
    example = {"input_tokens": 1, "output_tokens": 1}
    draft = ContractDraft(schema=SCHEMA, billing_fields=list(example), valid_examples=[example], invalid_examples=[{}])
    contracts.open_contract(
        event_type=EVENT_TYPE,
        description="Tokens of the benchmark.",
        draft=draft,
        is_activated=True,
        actor=engineer,
        at=at,
    )
    return keys.new_key(name="bench", user=engineer, scopes=[Scope.EVENTS_WRITE], at=at)[1]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _batches(*, count: int, size: int) -> Iterator[Batch]:
    now = timezone.now()
    for batch in range(count):
        yield [
            {
                "specversion": "1.0",
                "id": str(uuid.uuid4()),
                "source": "bench/eu-1",
                "type": EVENT_TYPE,
                "subject": f"bench-{(batch + number) % CUSTOMERS}",
                "time": (now - timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "data": {
                    "input_tokens": number * 7,
                    "output_tokens": number,
                    "model": "large-v3",
                    "region": "eu-central-1",
                },
            }
            for number in range(size)
        ]


def _copy_text(batch: Batch) -> str:
    line = "{source}\t{id}\t1\t1\t1\t{time}\t{time}\t\\\\x" + "00" * 32 + "\t{data}\n"
    return "".join(line.format(**event | {"data": orjson.dumps(event["data"]).decode()}) for event in batch)


def _make_bare_table() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_bare")
        cursor.execute(BARE_TABLE)


def _copy_all(copies: Sequence[str]) -> None:
    connection.ensure_connection()
    for text in copies:  # autocommit: each COPY is a commit, as each request is
        with connection.connection.cursor() as cursor, cursor.copy("COPY bench_bare FROM STDIN") as copy:
            copy.write(text)


def _send_all(bodies: Sequence[bytes], *, port: int, authorization: str) -> None:
    shares = [bodies[start::CONNECTIONS] for start in range(CONNECTIONS)]
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        accepted = sum(pool.map(partial(_send, port=port, authorization=authorization), shares))
    if accepted != sum(body.count(b'"specversion"') for body in bodies):
        raise BenchError(f"only {accepted} events were accepted")


def _send(bodies: Sequence[bytes], *, port: int, authorization: str) -> int:
    sender = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Authorization": authorization, "Content-Type": "application/json"}
    accepted = 0
    for body in bodies:
        sender.request("POST", "/api/v1/events", body, headers)
        accepted += orjson.loads(sender.getresponse().read())["accepted"]
    sender.close()
    return accepted
