"""The lock on guessing: ten wrong passwords in a row lock a name for a quarter of an hour."""

from datetime import timedelta

import pytest

from accounts import sign_in
from accounts.models import SignInGuard
from tests.builders.people import NOW

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def test_the_eleventh_attempt_is_refused() -> None:
    assert [sign_in.count_attempt(name="fiona", at=NOW) for _ in range(12)] == [True] * 10 + [False] * 2
    assert sign_in.locked_until(name="fiona", at=NOW) == NOW + 15 * MINUTE
    assert sign_in.locked_until(name="felix", at=NOW) is None


def test_attempts_while_locked_do_not_prolong_the_lock() -> None:
    for _ in range(10):
        sign_in.count_attempt(name="fiona", at=NOW)
    assert not sign_in.count_attempt(name="fiona", at=NOW + 15 * MINUTE)
    assert sign_in.count_attempt(name="fiona", at=NOW + 15 * MINUTE + timedelta(seconds=1))
    assert SignInGuard.objects.get().failures == 1


def test_a_success_starts_from_none() -> None:
    for _ in range(9):
        sign_in.count_attempt(name="fiona", at=NOW)
    sign_in.forget_failures(name="fiona")
    assert all(sign_in.count_attempt(name="fiona", at=NOW) for _ in range(10))


@pytest.mark.parametrize("name", ["FIONA", "fi\x00ona", "fiona" + "x" * 300])
def test_other_spellings_are_no_way_round(name: str) -> None:
    for _ in range(10):
        sign_in.count_attempt(name=name, at=NOW)
    assert not sign_in.count_attempt(name=name.replace("\x00", "").lower()[:150], at=NOW)


def test_old_failures_are_forgotten() -> None:
    sign_in.count_attempt(name="long ago", at=NOW)
    sign_in.count_attempt(name="fiona", at=NOW + timedelta(days=2))
    assert list(SignInGuard.objects.values_list("name", flat=True)) == ["fiona"]
