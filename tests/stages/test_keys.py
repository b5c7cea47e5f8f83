"""API keys: shown once, found in constant time, bound to a person, revoked for ever."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import Error, transaction

from accounts import keys
from accounts.models import ApiKey, Scope
from core.errors import InvalidInputError, NotAllowedError
from core.models import AuditEntry
from tests.builders.people import NOW, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def erin() -> User:
    return make_staff("erin", "engineering")


def test_a_new_key_is_found_by_its_text_only(erin: User) -> None:
    made, text = keys.new_key(name="collector", user=erin, scopes=[Scope.READ], at=NOW)
    assert text.startswith(f"bo_{made.public_id}_")
    assert len(text.rpartition("_")[2]) == 64
    assert keys.find_key(text) == made
    assert text.rpartition("_")[2] not in str(ApiKey.objects.values_list().get())
    for near_miss in (text[:-1], text + "0", text.upper(), "bo_", "", "_", f"bo_{made.public_id}_"):
        assert keys.find_key(near_miss) is None


def test_making_and_revoking_stand_in_the_audit_chain(erin: User) -> None:
    made, _ = keys.new_key(name="collector", user=erin, scopes=[Scope.READ], actor=erin, at=NOW)
    keys.revoke_key(key_id=made.pk, reason="laptop lost", actor=erin, at=NOW)
    entries = AuditEntry.objects.order_by("id").values_list("action", "subject", "actor__username", "facts")
    subject = f"api_key:{made.public_id}"
    assert list(entries) == [
        ("api_key.made", subject, "erin", {"name": "collector", "acts_as": "erin", "scopes": ["read"]}),
        ("api_key.revoked", subject, "erin", {"reason": "laptop lost"}),
    ]


def test_a_revoked_key_is_dead_at_once_and_for_ever(erin: User) -> None:
    made, text = keys.new_key(name="collector", user=erin, scopes=[Scope.READ], at=NOW)
    keys.revoke_key(key_id=made.pk, reason="laptop lost", actor=erin, at=NOW)
    assert keys.find_key(text) is None
    with pytest.raises(keys.AlreadyRevokedError):
        keys.revoke_key(key_id=made.pk, reason="again", actor=erin, at=NOW)
    with pytest.raises(Error), transaction.atomic():
        ApiKey.objects.filter(pk=made.pk).update(revoked_at=None)


def test_a_key_changes_neither_its_secret_nor_its_person(erin: User) -> None:
    made, _ = keys.new_key(name="collector", user=erin, scopes=[Scope.READ], at=NOW)
    other = make_staff("fiona", "finance")
    for change in ({"user": other}, {"secret_hash": "0" * 64}, {"public_id": "other"}):
        with pytest.raises(Error), transaction.atomic():
            ApiKey.objects.filter(pk=made.pk).update(**change)


@pytest.mark.parametrize("scopes", [[], ["everything"], ["read", "root"]])
def test_the_database_refuses_scopes_that_do_not_exist(erin: User, scopes: list[str]) -> None:
    with pytest.raises(Error), transaction.atomic():
        keys.new_key(name="collector", user=erin, scopes=scopes, at=NOW)


def test_a_key_acts_as_its_maker_or_an_administrator_chose_whom(erin: User) -> None:
    fiona = make_staff("fiona", "finance")
    with pytest.raises(NotAllowedError, match="its maker"):
        keys.new_key(name="sly", user=fiona, scopes=[Scope.WRITE], actor=erin, at=NOW)
    root = make_staff("root", is_superuser=True)
    assert keys.new_key(name="collector", user=fiona, scopes=[Scope.READ], actor=root, at=NOW)[0].user == fiona


def test_only_active_staff_have_keys(erin: User) -> None:
    with pytest.raises(InvalidInputError):
        keys.new_key(name="x", user=User.objects.create(username="ada"), scopes=[Scope.READ], at=NOW)
    _, text = keys.new_key(name="x", user=erin, scopes=[Scope.READ], at=NOW)
    erin.is_active = False
    erin.save()
    assert keys.find_key(text) is None


def test_the_last_use_is_noted_by_the_minute(erin: User) -> None:
    made, _ = keys.new_key(name="x", user=erin, scopes=[Scope.READ], at=NOW)
    for seconds, noted in ((0, 0), (60, 0), (61, 61)):
        keys.note_use(ApiKey.objects.get(pk=made.pk), at=NOW + timedelta(seconds=seconds))
        assert ApiKey.objects.get(pk=made.pk).last_used_at == NOW + timedelta(seconds=noted)
