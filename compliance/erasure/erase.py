"""Forget somebody: destroy the keys, close and overwrite the sign-ins, and write the proof, in one transaction."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from accounts import portal_access
from compliance.erasure import plan as planning
from compliance.erasure import words
from compliance.erasure.models import Erasure, ErasureRequest
from compliance.erasure.persons import Kind, Person
from compliance.erasure.plan import Plan
from compliance.erasure.words import Words
from core import audit, job_rows, personal_keys, told_of_many
from core.http import idempotency
from invoicing.replay import forgetting as replay_sets
from metering import forgetting

ACTION = "person.erased"


def erase_person(request: ErasureRequest, planned: Plan, *, actor: Any, at: datetime) -> Erasure:
    """Do what was planned, in the caller's transaction; the row that comes back names no one."""
    person = planned.person
    known = words.words_of(person, sign_ins=planning.sign_ins_of(person))
    count = personal_keys.destroy_keys(planned.keys, at=at)
    # Asked once theirs are gone: whoever writes of many at this moment waited, or has committed.
    shared = told_of_many.keys_about(planned.keys, said=known.all())
    count += personal_keys.destroy_keys(shared, at=at)
    did = [f"{count} {'key' if count == 1 else 'keys'} destroyed.", *_overwrite(person, known, at=at)]
    kept, keys = [one.as_json() for one in planned.kept], [*planned.keys, *shared]
    replay_sets.erase_content(planned.sets)
    did += [f"What {one} held erased." for one in planned.sets]
    facts = {"request": request.pk, "keys": keys, "kept_documents": len(kept)}
    if planned.sets:
        facts["replay_versions"] = [one.pk for one in planned.sets]
    entry = audit.append_entry(action=ACTION, subject=person.subject, actor=actor, facts=facts, at=at)
    return Erasure.objects.create(request=request, keys=keys, did=did, kept=kept, erased_at=at, audit_entry=entry)


def _overwrite(person: Person, known: Words, *, at: datetime) -> Iterator[str]:
    """What lies under no key: sign-ins, the words somebody is found by, repeated answers, quarantined bodies."""
    for sign_in in planning.sign_ins_of(person):
        portal_access.forget_person(sign_in)
        yield f"Sign-in {sign_in.pk} closed and its names overwritten."
    if person.kind != Kind.PORTAL_USER:
        type(person.row).objects.filter(pk=person.row.pk).update(name_marks=[])
        yield "No word finds them any more."
    count = idempotency.forget_answers(words=known.words, ids=known.ids)
    yield f"Stored answers of the API that named them, overwritten: {count}."
    if count := job_rows.forget_errors(known.words):
        yield f"Errors of background work that named them, overwritten: {count}."
    key_id = person.row.personal_key_id
    if count := forgetting.forget_person(key_id=key_id, words=known.words, ids=known.ids, at=at):
        yield f"Events in quarantine that named them, overwritten: {count}."
