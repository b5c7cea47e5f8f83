"""Documents whose day has come: the person was erased before, and no law keeps the document any more."""

from datetime import datetime

from django.db import transaction

from compliance.erasure import plan
from compliance.erasure.models import Erasure, ErasureRequest
from compliance.erasure.persons import person_of
from core import audit, personal_keys

ACTION = "person.documents_erased"


def erase_due_documents(*, at: datetime) -> list[Erasure]:
    """Destroy the keys of all documents of erased customers that no law keeps; one proof a customer.

    It was approved with the request: the documents stayed until their day, and this is that day.
    """
    customers = ErasureRequest.objects.filter(status=ErasureRequest.Status.ERASED, kind=ErasureRequest.Kind.CUSTOMER)
    made = [_erase(request.pk, at=at) for request in customers.order_by("pk")]
    return [proof for proof in made if proof is not None]


@transaction.atomic
def _erase(request_id: int, *, at: datetime) -> Erasure | None:
    request = ErasureRequest.objects.select_for_update().get(pk=request_id)
    person = person_of(request)
    keys = plan.keys_of_documents_not_kept(person.row.pk, at=at)
    if not keys:
        return None
    count = personal_keys.destroy_keys(keys, at=at)
    kept = [one.as_json() for one in plan.documents_kept(person.row.pk, at=at)]
    facts = {"request": request.pk, "keys": keys, "kept_documents": len(kept)}
    entry = audit.append_entry(action=ACTION, subject=person.subject, actor=None, facts=facts, at=at)
    did = [f"{count} keys of documents destroyed."]
    return Erasure.objects.create(request=request, keys=keys, did=did, kept=kept, erased_at=at, audit_entry=entry)
