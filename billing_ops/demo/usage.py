"""Usage of the sample company: made the same way each time, sent over real HTTP."""

import json
import random
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

BATCH = 500
REQUESTS_PER_DAY = {"acme": 14, "globex": 18, "initech": 9}


@dataclass(slots=True)
class Sent:
    """What the server answered, added up."""

    received: int = 0
    accepted: int = 0
    duplicates: int = 0
    quarantined: int = 0

    def add(self, answer: dict[str, Any]) -> None:
        self.received += answer["received"]
        self.accepted += answer["accepted"]
        self.duplicates += answer["duplicates"]
        self.quarantined += answer["quarantined"]


def daily_usage(*, customer: str, start: datetime, end: datetime) -> Iterator[dict[str, Any]]:
    """The customer's events of `[start, end)`; the same day always gives the same events."""
    day = start
    while day < end:
        dice = random.Random(f"{customer} {day:%Y-%m-%d}")  # noqa: S311  sample data, not secrets
        for number in range(REQUESTS_PER_DAY[customer]):
            moment = day + timedelta(seconds=dice.randrange(86_400))
            if moment < end:
                data = {
                    "input_tokens": dice.randrange(200, 4_800),
                    "output_tokens": dice.randrange(20, 900),
                    "model": dice.choice(["large", "small"]),
                    "feature": dice.choice(["chat", "search"]),
                }
                yield event(customer=customer, kind="llm.completion", number=number, moment=moment, day=day, data=data)
        measured = day + timedelta(hours=12)
        if measured < end:
            size = f"{40 + dice.randrange(0, 900) / 100:.2f}"
            data = {"gigabytes": size, "region": "eu"}
            yield event(customer=customer, kind="storage.measured", number=0, moment=measured, day=day, data=data)
        day += timedelta(days=1)


def event(
    *, customer: str, kind: str, number: int, moment: datetime, day: datetime, data: dict[str, Any]
) -> dict[str, Any]:
    """One CloudEvents 1.0 object."""
    return {
        "specversion": "1.0",
        "id": f"{customer}-{kind}-{day:%Y%m%d}-{number}",
        "source": f"lumen/{kind.partition('.')[0]}",
        "type": kind,
        "subject": customer,
        "time": moment.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "data": data,
    }


def bad_events(*, moment: datetime) -> list[dict[str, Any]]:
    """Four events that must not be billed: each is quarantined with its reason."""
    whole = {"input_tokens": 900, "output_tokens": 80, "model": "large"}

    def bad(number: int, customer: str, data: dict[str, Any], at: datetime = moment) -> dict[str, Any]:
        made = event(customer=customer, kind="llm.completion", number=number, moment=at, day=moment, data=data)
        return {**made, "id": f"bad-{made['id']}"}

    return [
        bad(1, "globex", {"output_tokens": 80, "model": "large"}),
        bad(2, "globex", {**whole, "input_tokens": "nine hundred"}),
        bad(3, "umbrella", whole),
        bad(4, "acme", whole, moment + timedelta(days=3650)),
    ]


def send(events: list[dict[str, Any]], *, address: str, key: str) -> Sent:
    """Post in batches to a running server; an answer other than 200 stops the demo with its text."""
    sent = Sent()
    for first in range(0, len(events), BATCH):
        request = urllib.request.Request(  # noqa: S310  the address is our own server's
            f"{address}/api/v1/events",
            data=json.dumps(events[first : first + BATCH]).encode(),
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
            method="POST",
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310  the same
                sent.add(json.load(answer))
        except urllib.error.HTTPError as error:
            raise SystemExit(f"The server refused the events: {error.read().decode()}") from error
    return sent
