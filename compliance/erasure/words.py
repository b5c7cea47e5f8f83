"""What somebody is called, where it may stand in clear: asked before the keys are destroyed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from accounts.models import ExternalId, PortalUser
from compliance.erasure.persons import Kind, Person
from core import sealing


@dataclass(frozen=True, slots=True)
class Words:
    """Names and addresses, and ids that other systems have for them."""

    words: list[str]
    ids: list[str]

    def all(self) -> list[str]:
        return [*self.words, *self.ids]


def words_of(person: Person, *, sign_ins: list[PortalUser]) -> Words:
    """Everything that this person, and who signs in with them, is called."""
    said = [text for sign_in in sign_ins for text in _names(sign_in.user)]
    if person.kind == Kind.PORTAL_USER:
        return Words(sorted({*said}), [])
    row = person.row
    said += [text for text in (row.legal_name, row.email, getattr(row, "tax_id", "")) if text]
    if person.kind == Kind.PAYEE:
        return Words(sorted({*said}), [row.code])
    ever = ExternalId.history.filter(customer_id=row.pk).values_list("external_id", flat=True)
    return Words(sorted({*said}), sorted({row.code, *ever}))


def _names(user: Any) -> Iterator[str]:
    yield from (text for text in (user.username, user.email, user.get_full_name()) if len(sealing.words_of(text)) > 0)
