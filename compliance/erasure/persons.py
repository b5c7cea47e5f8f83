"""Who can be forgotten: a customer, a person of a customer who signs in, a payee; and what is known of each by code."""

from dataclasses import dataclass
from typing import Any

from accounts.models import Customer, PortalUser
from compliance.erasure.models import ErasureRequest
from compliance.payouts.models import Payee
from core.errors import NotFoundError

Kind = ErasureRequest.Kind


@dataclass(frozen=True, slots=True)
class Person:
    """One person, by the row that is about them; `code` is what they are called where no name may stand."""

    kind: str
    row: Any

    @property
    def code(self) -> str:
        return f"{self.row.customer.code}, sign-in {self.row.pk}" if self.kind == Kind.PORTAL_USER else self.row.code

    @property
    def subject(self) -> str:
        """As the audit chain names them."""
        return f"{self.kind}:{self.row.pk}"

    def as_columns(self) -> dict[str, Any]:
        return {"kind": self.kind, self.kind: self.row}


def find_person(*, kind: str, code: str) -> Person:
    """By the code of a customer or payee, or the name somebody signs in with; NotFoundError where there is none."""
    found: Any = None
    if kind == Kind.CUSTOMER:
        found = Customer.objects.filter(code=code).first()
    elif kind == Kind.PAYEE:
        found = Payee.objects.filter(code=code).first()
    elif kind == Kind.PORTAL_USER:
        found = PortalUser.objects.select_related("user", "customer").filter(user__username=code).first()
    if found is None:
        raise NotFoundError(f"There is no {Kind(kind).label.lower()} {code[:60]}.")
    return Person(kind, found)


def person_of(request: ErasureRequest) -> Person:
    return Person(request.kind, getattr(request, request.kind))
