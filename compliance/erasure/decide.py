"""Ask that somebody is forgotten, and decide over it: two persons, ops asks and finance decides."""

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts import roles
from accounts.roles import Role
from compliance.erasure import erase, persons, plan
from compliance.erasure.models import Erasure, ErasureRequest
from core import audit
from core.errors import DomainError, InvalidInputError, NotAllowedError, NotFoundError

ASKERS = (Role.OPS,)
DECIDERS = (Role.FINANCE,)
Status = ErasureRequest.Status


class AlreadyAskedError(DomainError):
    """One request a person is enough."""

    code = "erasure_already_asked"


class NotOpenError(DomainError):
    """It was decided already."""

    code = "erasure_decided"


class ForbiddenError(DomainError):
    """Something has to be done first, or the law wants the person to be kept."""

    code = "erasure_forbidden"


def ask_erasure(*, kind: str, code: str, ground: str, reference: str, actor: Any, at: datetime) -> ErasureRequest:
    """Ask that a person is forgotten; nothing is erased before somebody of finance says so, who is not the asker."""
    roles.require_role(actor, *ASKERS, to="ask that a person is erased")
    person = persons.find_person(kind=kind, code=code)
    request = ErasureRequest(
        **person.as_columns(), ground=ground, reference=reference, asked_by=actor, asked_at=at, status=Status.ASKED
    )
    _check(request, "ground", "reference")
    with transaction.atomic():
        try:
            with transaction.atomic():
                request.save(force_insert=True)
        except IntegrityError as error:
            raise AlreadyAskedError(f"For {person.code} this was asked already; see the list of requests.") from error
        facts = {"request": request.pk, "ground": ground, "reference": reference}
        audit.append_entry(action="erasure.asked", subject=person.subject, actor=actor, facts=facts, at=at)
    return request


@transaction.atomic
def approve_erasure(*, request_id: int, actor: Any, at: datetime) -> Erasure:
    """Erase now. ForbiddenError names what has to be done first; then nothing is erased and the request stays open."""
    request = _lock(request_id, actor=actor)
    person = persons.person_of(request)
    planned = plan.plan_of(person, at=at)
    if planned.forbids:
        raise ForbiddenError(f"{person.code} cannot be erased now. {' '.join(planned.forbids)}")
    request.status, request.decided_by, request.decided_at = Status.ERASED, actor, at
    request.save(update_fields=["status", "decided_by", "decided_at"])
    return erase.erase_person(request, planned, actor=actor, at=at)


@transaction.atomic
def refuse_erasure(*, request_id: int, refusal: str, actor: Any, at: datetime) -> ErasureRequest:
    """Refuse, with a word that says why, such as `not_the_person`; it may be asked anew."""
    request = _lock(request_id, actor=actor)
    request.status, request.refusal, request.decided_by, request.decided_at = Status.REFUSED, refusal, actor, at
    _check(request, "refusal")
    request.save(update_fields=["status", "refusal", "decided_by", "decided_at"])
    facts = {"request": request.pk, "refusal": refusal}
    subject = persons.person_of(request).subject
    audit.append_entry(action="erasure.refused", subject=subject, actor=actor, facts=facts, at=at)
    return request


def _check(request: ErasureRequest, *names: str) -> None:
    """InvalidInputError names the first of these fields that cannot be kept."""
    for name in names:
        others = [field.name for field in request._meta.fields if field.name != name]
        try:
            request.clean_fields(exclude=others)
        except ValidationError as error:
            raise InvalidInputError(error.messages[0], pointer=f"/{name}") from error


def _lock(request_id: int, *, actor: Any) -> ErasureRequest:
    roles.require_role(actor, *DECIDERS, to="decide whether a person is erased")
    request = ErasureRequest.objects.select_for_update().filter(pk=request_id).first()
    if request is None:
        raise NotFoundError(f"There is no request {request_id}.")
    if request.status != Status.ASKED:
        raise NotOpenError(f"{request} is {request.get_status_display().lower()} already.")
    if request.asked_by_id == actor.pk:
        raise NotAllowedError("You asked for it; somebody else of finance decides.")
    return request
