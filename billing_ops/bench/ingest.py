"""How many events a second come in, by HTTP and from files, against a plain COPY of the same rows.

Everything counts: the sender on the same cores, the API key, reading, the contract check, deduplication, one commit
with fsync per request. The events stay where they came in, so this belongs on a database of its own.
"""

import math
import re
import socket
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Any

import orjson
from django.db import connection
from django.utils import timezone

from billing_ops import processes
from billing_ops.bench import ingest_world
from billing_ops.bench.ingest_world import Batch
from billing_ops.bench.plain_view import ORIGIN
from billing_ops.bench.rows import BenchError, BenchRow
from metering import importing
from metering.import_forms import ImportRequest
from metering.models import CaptureBatch, UsageEvent
from metering.rules import import_rows, reading

CONNECTIONS = 4
MORE_CONNECTIONS = 8  # four that send small batches leave a process idle now and then
LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)")
SINGLE_CONNECTIONS = 32
COPY_SIZE = 1000  # of the COPY that small batches are held against, too
BARE_TABLE = """
CREATE TABLE bench_bare (
    source text, event_id text, customer_id bigint, contract_id bigint, batch_id bigint,
    occurred_at timestamptz, received_at timestamptz, fingerprint bytea, data jsonb
)
"""


@dataclass(slots=True)
class Sent:
    """What the senders saw: how each event was answered, and how long each request took."""

    accepted: int = 0
    duplicates: int = 0
    seconds: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends bodies over kept connections, several at once."""

    port: int
    authorization: str

    def send(self, bodies: Sequence[bytes], *, connections: int = CONNECTIONS) -> Sent:
        shares = [bodies[start::connections] for start in range(connections)]
        with ThreadPoolExecutor(connections) as pool:
            parts = list(pool.map(self._send_share, shares))
        return Sent(
            accepted=sum(part.accepted for part in parts),
            duplicates=sum(part.duplicates for part in parts),
            seconds=list(chain.from_iterable(part.seconds for part in parts)),
        )

    def _send_share(self, bodies: Sequence[bytes]) -> Sent:
        sent = Sent()
        requests = [self._request(body) for body in bodies]
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as sender:
            sender.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for request in requests:
                began = time.perf_counter()
                sender.sendall(request)
                answer = orjson.loads(_read_answer(sender))
                sent.seconds.append(time.perf_counter() - began)
                sent.accepted += answer["accepted"]
                sent.duplicates += answer["duplicates"]
        return sent

    def _request(self, body: bytes) -> bytes:
        """A whole request as it goes over the wire: who sends shares the processors with who is measured."""
        head = (
            f"POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAuthorization: {self.authorization}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


def _read_answer(sender: socket.socket) -> bytes:
    """Give the body of the next answer; BenchError for one that is not 200."""
    received = b""
    while (head_end := received.find(b"\r\n\r\n")) < 0:
        received += _receive(sender)
    head = received[:head_end].lower()
    length = LENGTH.search(head)
    if not head.startswith(b"http/1.1 200 ") or length is None:
        raise BenchError(f"a delivery was answered {received[:200].decode(errors='replace')}")
    end = head_end + 4 + int(length[1])
    while len(received) < end:
        received += _receive(sender)
    return received[head_end + 4 :]


def _receive(sender: socket.socket) -> bytes:
    part = sender.recv(65_536)
    if not part:
        raise BenchError("the connection was ended before the answer")
    return part


def run(*, rounds: int = 5, events: int = 60_000, sizes: Sequence[int] = (1000, 100)) -> list[BenchRow]:
    """Both ways in turn, so that what else the machine does meets both; medians of `rounds`."""
    authorization = f"Bearer {ingest_world.furnish(timezone.now())}"
    port = ingest_world.free_port()
    web = processes.start_web(port=port, log=Path("/dev/null"))
    try:
        sender = Sender(port, authorization)
        rows = [row for size in sizes for row in _measure_batches(sender, size, rounds=rounds, events=events)]
        rows += _measure_batches(sender, 100, rounds=rounds, events=events, connections=MORE_CONNECTIONS)
        rows += _measure_singles(sender, authorization, events=events // 30, rounds=rounds)
        rows.append(_measure_replay(sender, events=events, rounds=rounds))
        rows.append(_measure_duplicates(sender, events=events // 2))
    finally:
        processes.stop([web])
    rows.append(_measure_import(rounds=rounds, events=max(events * 4 // reading.EVENTS_MAX, 1) * reading.EVENTS_MAX))
    return rows


def _measure_batches(
    sender: Sender, size: int, *, rounds: int, events: int, connections: int = CONNECTIONS
) -> list[BenchRow]:
    """Bare is a COPY in batches of the same size; for smaller ones also one in batches of `COPY_SIZE`."""
    ours, theirs, larger, answers = [], [], [], Sent()
    for _round in range(rounds):
        batches = ingest_world.batches(count=events // size, size=size)
        theirs.append(_copy(batches))
        if size < COPY_SIZE:
            larger.append(_copy(_regrouped(batches, size=COPY_SIZE)))
        seconds, sent = _timed(partial(sender.send, _bodies(batches), connections=connections))
        _require(sent.accepted, events // size * size)
        ours.append(seconds)
        answers.seconds += sent.seconds
    name = f"HTTP ingest, batches of {size:,} from {connections} senders"
    one_copy = median(theirs) / (events // size)
    rows = [_rate(name, events, median(ours), median(theirs)), *_latencies(name, answers.seconds, one_copy)]
    if larger:
        rows.append(_rate(f"{name}, against COPY by {COPY_SIZE:,}", events, median(ours), median(larger)))
    return rows


def _regrouped(batches: Sequence[Batch], *, size: int) -> list[Batch]:
    events = list(chain.from_iterable(batches))
    return [events[start : start + size] for start in range(0, len(events), size)]


def _measure_singles(sender: Sender, authorization: str, *, events: int, rounds: int) -> list[BenchRow]:
    """One event in each request, by many senders at once; bare is a COPY of one row for each, by one client.

    And the same requests to a DRF view that saves by the ORM, in turn with ours.
    """
    ours, theirs, plain, answers = [], [], [], Sent()
    port = ingest_world.free_port()
    web = processes.start_web(port=port, log=Path("/dev/null"), application="billing_ops.bench.plain_wsgi")
    try:
        other = Sender(port, authorization)
        for _round in range(rounds):
            theirs.append(_copy(ingest_world.batches(count=events, size=1)))
            seconds, sent = _timed(partial(sender.send, _single_bodies(events), connections=SINGLE_CONNECTIONS))
            _require(sent.accepted, events)
            ours.append(seconds)
            answers.seconds += sent.seconds
            seconds, sent = _timed(partial(other.send, _single_bodies(events), connections=SINGLE_CONNECTIONS))
            _require(sent.accepted, events)
            plain.append(seconds)
    finally:
        processes.stop([web])
    _require(CaptureBatch.objects.filter(origin=ORIGIN).count(), events * rounds)  # the other view took them itself
    name = f"HTTP ingest, single events from {SINGLE_CONNECTIONS} senders"
    return [
        _rate(name, events, median(ours), median(theirs)),
        _rate(f"{name}, against a DRF view that saves by the ORM", events, median(ours), median(plain)),
        *_latencies(name, answers.seconds, median(theirs) / events),
    ]


def _single_bodies(events: int) -> list[bytes]:
    return [orjson.dumps(batch[0]) for batch in ingest_world.batches(count=events, size=1)]


def _measure_replay(sender: Sender, *, events: int, rounds: int) -> BenchRow:
    """The same deliveries once more: every event is a duplicate, and nothing is stored."""
    fresh, again = [], []
    for _round in range(rounds):
        bodies = _bodies(ingest_world.batches(count=events // 1000, size=1000))
        seconds, first = _timed(partial(sender.send, bodies))
        _require(first.accepted, events // 1000 * 1000)
        fresh.append(seconds)
        seconds, second = _timed(partial(sender.send, bodies))
        _require(second.duplicates, first.accepted)
        again.append(seconds)
    return _rate("HTTP replay of known events, against fresh ones", events, median(again), median(fresh))


def _measure_duplicates(sender: Sender, *, events: int) -> BenchRow:
    """A tenth of each delivery stood in another one, and four send at once: accepted is what is different."""
    batches = ingest_world.batches(count=events // 1000, size=1000)
    mixed = [[*batch, *batches[number - 1][:100]] for number, batch in enumerate(batches)]
    before = UsageEvent.objects.count()
    bare = _copy(mixed)
    seconds, sent = _timed(partial(sender.send, _bodies(mixed)))
    _require(sent.accepted, len(batches) * 1000)
    _require(sent.duplicates, len(batches) * 100)
    _require(UsageEvent.objects.count() - before, len(batches) * 1000)
    return _rate("HTTP ingest, a tenth duplicates, accepted = sent", len(mixed) * 1100, seconds, bare)


def _measure_import(*, rounds: int, events: int) -> BenchRow:
    """A new file each time, large enough for several processes; bare is a COPY in batches as large as a chunk."""
    ours, theirs = [], []
    for _round in range(rounds):
        batches = ingest_world.batches(count=events // reading.EVENTS_MAX, size=reading.EVENTS_MAX)
        theirs.append(_copy(batches))
        ours.append(_import(batches))
    return _rate("import_events of NDJSON", events, median(ours), median(theirs))


def _import(batches: Sequence[Batch]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.ndjson"
        path.write_bytes(b"".join(orjson.dumps(event) + b"\n" for batch in batches for event in batch))
        request = ImportRequest(path=path, form="ndjson", columns=import_rows.read_column_map([]))
        seconds, report = _timed(lambda: importing.import_file(request=request, at=timezone.now()))
    _require(report.run.accepted, len(batches) * reading.EVENTS_MAX)
    return seconds


def _copy(batches: Sequence[Batch]) -> float:
    """Into a table without keys; autocommit: each COPY is a commit, as each request is."""
    texts = [ingest_world.copy_text(batch) for batch in batches]
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_bare")
        cursor.execute(BARE_TABLE)
    connection.ensure_connection()
    began = time.perf_counter()
    for text in texts:
        with connection.connection.cursor() as cursor, cursor.copy("COPY bench_bare FROM STDIN") as copy:
            copy.write(text)
    return time.perf_counter() - began


def _bodies(batches: Sequence[Batch]) -> list[bytes]:
    return [orjson.dumps(batch) for batch in batches]


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    answer = work()
    return time.perf_counter() - began, answer


def _require(found: int, wanted: int) -> None:
    """A figure for a capture that lost or doubled something would mean nothing."""
    if found != wanted:
        raise BenchError(f"{found} events instead of {wanted}")


def _rate(name: str, events: int, ours: float, bare: float) -> BenchRow:
    return BenchRow(name=name, value=events / ours, unit="events/s", limit=events / bare, ratio=bare / ours)


def _latencies(name: str, seconds: Sequence[float], bare: float) -> list[BenchRow]:
    """How long a sender waits for its answer; bare is the mean time of one COPY."""
    ordered = sorted(seconds)
    found = {"p50": median(ordered), "p99": ordered[math.ceil(0.99 * len(ordered)) - 1]}
    return [
        BenchRow(name=f"{name}, {mark}", value=1000 * value, unit="ms", limit=1000 * bare, ratio=value / bare)
        for mark, value in found.items()
    ]
