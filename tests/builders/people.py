"""Staff, keys and customers for tests of doors."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import Group, User
from django.test import Client

from accounts import keys
from accounts.models import Customer, PortalUser, Scope

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"


def make_staff(username: str, *roles: str, is_superuser: bool = False) -> User:
    user = User.objects.create(username=username, is_staff=True, is_superuser=is_superuser)
    user.groups.set(Group.objects.filter(name__in=roles))
    return user


def make_customer(code: str = "acme", **values: Any) -> Customer:
    facts = {"legal_name": f"{code.title()} GmbH", "currency": "EUR", "country": "DE", "time_zone": "Europe/Berlin"}
    return Customer.objects.create(code=code, **{**facts, **values})


def make_portal_user(customer: Customer, username: str = "ada") -> PortalUser:
    return PortalUser.objects.create(user=User.objects.create(username=username), customer=customer)


def key_for(user: User, *, scopes: Sequence[str] = (Scope.READ, Scope.WRITE)) -> dict[str, str]:
    """The header that signs a call of this person."""
    _, text = keys.new_key(name="test", user=user, scopes=list(scopes), at=NOW)
    return {"Authorization": f"Bearer {text}"}


class ApiClient:
    """Calls of one key: JSON in, JSON out."""

    def __init__(self, headers: dict[str, str]) -> None:
        self.headers = headers
        self.client = Client(raise_request_exception=False)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The response; `body` is JSON-encoded unless it is bytes or text already."""
        return self.client.generic(
            method,
            f"/api/v1/{path}",
            body if isinstance(body, bytes | str) else b"" if body is None else json.dumps(body).encode(),
            content_type="application/json",
            headers={**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}},
        )

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("POST", path, {} if body is None else body, **headers)
