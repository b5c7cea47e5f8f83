"""A program that calls the API of metering with a key."""

import gzip
import json
from typing import Any

from django.test import Client

from tests.builders import usage

API = "/api/v1/"
JSON = "application/json"


class Sender:
    """Holds one key; an error that nobody foresaw is answered as 500, as in production."""

    def __init__(self, key: str | None = None) -> None:
        self.headers = {"Authorization": f"Bearer {key or usage.api_key()}"}
        self.client = Client(raise_request_exception=False)

    def send(self, body: Any, content_type: str = JSON, **headers: str) -> Any:
        """Post to `events`; anything but bytes is written as JSON first."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post(f"{API}events", raw, content_type, headers={**self.headers, **headers})

    def send_gzip(self, raw: bytes) -> Any:
        return self.send(gzip.compress(raw), **{"Content-Encoding": "gzip"})

    def get(self, path: str, **query: str) -> Any:
        return self.client.get(f"{API}{path}", query, headers=self.headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.client.post(f"{API}{path}", body or {}, JSON, headers={**self.headers, **headers})

    def patch(self, path: str, body: Any) -> Any:
        return self.client.patch(f"{API}{path}", body, JSON, headers=self.headers)


def codes(answer: Any) -> list[str]:
    """The reason codes of the only item of an answer."""
    (item,) = answer.json()["items"]
    return [reason["code"] for reason in item["reasons"]]
