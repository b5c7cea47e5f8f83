"""Sign-ins of customers' people: given for one customer for ever, closed and opened again."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.db import transaction

from accounts.models import Customer, PortalUser, SignInGuard
from core import audit, history, personal_keys


def give_access(
    *, customer: Customer, person: Mapping[str, str], password: str, actor: Any, at: datetime
) -> PortalUser:
    """Make a sign-in that sees this customer and nothing else; `person` has username, names and e-mail."""
    personal_keys.refuse_erased(customer.personal_key_id)
    with transaction.atomic():
        user = User(**person)
        validate_password(password, user)
        user.set_password(password)
        user.full_clean()
        user.save()
        portal_user = PortalUser(user=user, customer=customer, personal_key=personal_keys.make_key())
        history.save_new(portal_user, actor=actor)
        _record("portal_access.given", portal_user, actor=actor, at=at)
    return portal_user


def set_open(*, portal_user_id: int, is_open: bool, actor: Any, at: datetime) -> None:
    """Close the sign-in, which ends its sessions too, or open it again."""
    with transaction.atomic():
        portal_user = PortalUser.objects.select_related("user", "customer").get(pk=portal_user_id)
        personal_keys.refuse_erased(portal_user.personal_key_id)
        User.objects.filter(pk=portal_user.user_id).update(is_active=is_open)
        _record("portal_access.opened" if is_open else "portal_access.closed", portal_user, actor=actor, at=at)


def set_password(*, portal_user_id: int, password: str, actor: Any, at: datetime) -> None:
    """Replace a forgotten password; every session under the old one ends."""
    with transaction.atomic():
        portal_user = PortalUser.objects.select_related("user", "customer").get(pk=portal_user_id)
        validate_password(password, portal_user.user)
        portal_user.user.set_password(password)
        portal_user.user.save(update_fields=["password"])
        _record("portal_access.password_set", portal_user, actor=actor, at=at)


def forget_person(portal_user: PortalUser) -> None:
    """Overwrite who signs in here and close it for good; its key is destroyed by whoever erases the person."""
    user = User.objects.select_for_update().get(pk=portal_user.user_id)
    SignInGuard.objects.filter(name=user.username.lower()).delete()
    User.objects.filter(pk=user.pk).update(
        username=f"erased-{user.pk}",
        first_name="",
        last_name="",
        email="",
        password=make_password(None),  # one that nobody has
        is_active=False,
    )


def _record(action: str, portal_user: PortalUser, *, actor: Any, at: datetime) -> None:
    username = personal_keys.seal_for(portal_user, portal_user.user.username)
    facts = {"username": username, "customer": portal_user.customer.code}
    audit.append_entry(action=action, subject=f"portal_user:{portal_user.pk}", actor=actor, facts=facts, at=at)
