"""A thousand guesses at once: ten passwords are looked at, not one more."""

from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.db import connection

pytestmark = pytest.mark.django_db(transaction=True)
GUESSES, THREADS = 1000, 20


def test_ten_of_a_thousand_guesses_reach_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    user = User.objects.create(username="fiona", is_staff=True)
    looked_at, guard = [], Lock()

    def look(self: ModelBackend, request: Any, username: str, password: str) -> None:
        with guard:
            looked_at.append(password)

    monkeypatch.setattr(ModelBackend, "authenticate", look)

    def guess(_: int) -> None:
        try:
            for number in range(GUESSES // THREADS):
                assert authenticate(username=user.username, password=f"guess {number}") is None
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(guess, range(THREADS)))
    assert len(looked_at) == 10
