"""Every URL has an explicit rule of who may call it, or stands on the short public list with its reason."""

from django.contrib import admin
from rest_framework.views import APIView

from accounts.permissions import RoleRule
from core.http.views import IdempotentWrites
from tests.builders.addresses import Address, every_address

PUBLIC = {
    "home": "sends people to where they sign in",
    "schema": "describes the API; holds no data",
    "docs": "the same as a page",
    "healthz": "asked by load balancers; says ok",
    "readyz": "asked by load balancers; says ok and how many workers live",
    "portal:login": "the sign-in itself",
    "portal:logout": "ends a session; takes only POST",
    "admin:login": "the sign-in itself",
    "capture-webhook": "signed by its sender; a wrong signature writes nothing",
    "stripe-webhook": "as capture-webhook, signed by Stripe",
}
WITHOUT_KEY = {
    "EventsView": "an event's own source and id count it once, for ever",
    "LagoBatchView": "as EventsView",
    "BackfillEventsView": "as EventsView: what is staged twice is captured once",
    "CaptureWebhookView": "webhook-id is the id of its event",
    "StripeWebhookView": "the id of its event is taken in once",
    "PreviewView": "stores nothing",
    "RepairView": "fixes a watermark, so it is no transaction of the call's; a repeat finds the draft discarded",
    "TryView": "stores nothing",
}
METHODS = ("get", "post", "put", "patch", "delete")


def rules_of(address: Address) -> str | None:
    """What is wrong with an API view's rule; None where nothing is."""
    view = address.view_class
    if not any(issubclass(permission, RoleRule) for permission in view.permission_classes):
        return "its permissions do not ask for a role"
    if len(view.permission_classes) != 1:
        return "more than one permission class decides"
    handled = {method.upper() for method in METHODS if hasattr(view, method)}
    ruled = set(getattr(view, "roles_by_method", {}))
    if handled != ruled:
        return f"it handles {sorted(handled)} and has rules for {sorted(ruled)}"
    if not all(view.roles_by_method.values()):
        return "a rule names nobody"
    return None


def flaw_of(address: Address) -> str | None:
    if address.name in PUBLIC or address.name.startswith("admin:"):
        return None  # the admin is walked below
    if getattr(address.view, "portal_required", False):
        return None
    if isinstance(address.view_class, type) and issubclass(address.view_class, APIView):
        return rules_of(address)
    return "nothing says who may call it"


def test_every_url_has_a_rule() -> None:
    flaws = {address.route: flaw for address in every_address() if (flaw := flaw_of(address))}
    assert flaws == {}


def test_every_writing_call_takes_an_idempotency_key() -> None:
    views = {address.view_class for address in every_address() if address.route.startswith("api/")} - {None}
    deaf = [
        view.__name__
        for view in views
        if any(hasattr(view, method) for method in METHODS[1:])
        and not issubclass(view, IdempotentWrites)
        and view.__name__ not in WITHOUT_KEY
    ]
    assert deaf == []


def test_the_public_list_names_only_what_exists() -> None:
    assert PUBLIC.keys() <= {address.name for address in every_address()}


def test_every_page_of_the_back_office_asks_the_roles() -> None:
    """The admin's own rules would let every superuser change everything."""
    ruled = {"has_view_permission", "has_add_permission", "has_change_permission", "has_delete_permission"}
    loose = [
        f"{model._meta.label}: {rule} is Django's"
        for model, page in admin.site._registry.items()  # noqa: SLF001  the registry has no public reader
        for rule in sorted(ruled)
        if getattr(type(page), rule).__module__.startswith(("django.", "unfold.", "simple_history."))
    ]
    assert loose == []


def test_nothing_is_deleted_in_the_back_office() -> None:
    class Anybody:
        is_staff = is_superuser = is_active = is_authenticated = True

    request = type("Request", (), {"user": Anybody()})()
    assert [
        model._meta.label
        for model, page in admin.site._registry.items()  # noqa: SLF001  as above
        if page.has_delete_permission(request)
    ] == []
