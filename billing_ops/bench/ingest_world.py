"""What the benchmarks of capture send: a contract in force, customers, and events that nobody has seen."""

import socket
import uuid
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.contrib.auth.models import Group, User
from django.utils import timezone

from accounts import keys
from accounts.models import Customer, Scope
from accounts.roles import Role
from metering import contracts
from metering.rules.drafting import ContractDraft

EVENT_TYPE = "bench.tokens"
CUSTOMERS = 200
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
Batch = list[dict[str, Any]]


def furnish(at: datetime) -> str:
    """Customers, a contract in force, and the key of an engineer."""
    engineer, _ = User.objects.get_or_create(username="bench", defaults={"is_staff": True})
    engineer.groups.add(Group.objects.get(name=Role.ENGINEERING))
    codes = [f"bench-{number}" for number in range(CUSTOMERS)]
    rows = [Customer(code=code, legal_name=code, currency="EUR") for code in codes]
    Customer.objects.bulk_create(rows, ignore_conflicts=True)
    example = {"input_tokens": 1, "output_tokens": 1}
    invalid = {"data": [], "code": "data_not_object", "pointer": "/data"}
    draft = ContractDraft(
        schema=SCHEMA, billing_fields=list(example), valid_examples=[example], invalid_examples=[invalid]
    )
    contracts.open_contract(
        event_type=EVENT_TYPE,
        description="Tokens of the benchmark.",
        draft=draft,
        is_activated=True,
        actor=engineer,
        at=at,
    )
    return keys.new_key(name="bench", user=engineer, scopes=[Scope.EVENTS_WRITE], at=at)[1]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def batches(*, count: int, size: int) -> list[Batch]:
    """New identities each time, spread over all customers and the last minutes."""
    now = timezone.now()
    return [
        [
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
        for batch in range(count)
    ]


def copy_text(batch: Batch) -> str:
    """The rows of a batch as COPY reads them."""
    line = "{source}\t{id}\t1\t1\t1\t{time}\t{time}\t\\\\x" + "00" * 32 + "\t{data}\n"
    return "".join(line.format(**event | {"data": orjson.dumps(event["data"]).decode()}) for event in batch)
