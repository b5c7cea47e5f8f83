"""Who may see a page of the portal: a signed-in person of exactly one customer, and of that customer only."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from csp.decorators import csp_replace
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache

from accounts.models import Customer, PortalUser

View = Callable[..., HttpResponseBase]

# The portal has no script at all, so none that somebody smuggles into a name can run.
without_scripts = csp_replace({"script-src": ["'none'"], "style-src": ["'self'"]})


def portal_required(view: View) -> View:
    """Call `view(request, customer=…)` for a portal user; sign-in, the back office or 404 for anybody else."""

    @wraps(view)
    def guarded(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), reverse("portal:login"))
        customer = find_customer(request.user)
        if customer is not None:
            return view(request, customer=customer, **arguments)
        if request.user.is_staff:
            return redirect("admin:index")
        raise Http404

    outer: View = never_cache(without_scripts(guarded))
    outer.portal_required = True  # type: ignore[attr-defined]  # read by the test that walks every URL
    return outer


def find_customer(user: Any) -> Customer | None:
    """The customer whose portal this person may see."""
    found = PortalUser.objects.select_related("customer").filter(user_id=user.pk).first()
    return found.customer if found else None
