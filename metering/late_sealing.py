"""Seal what earlier events hold in clear of properties that a contract marks as personal from now on.

What an event counts for does not change: no meter ever read the properties, and fingerprints stay those of capture.
What lies there now is hashed too, and the audit chain has both, so that an event that somebody changed is still found.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from accounts import queries as accounts_queries
from accounts.models import Customer
from core import audit, bulk, history, personal_keys, work
from metering.models import EventArchive, EventContractVersion, EventSealing, LaterSealing, MeterVersion, Store
from metering.rules import exact_json, fingerprint, personal
from metering.rules.instants import instant_text
from metering.rules.personal import Seal
from metering.rules.reasons import Reason, reason
from metering.store import chosen, sealing
from metering.store.sealing import ClearEvent

JOB = "metering.late_sealing"
ACTION = "events.sealed_later"
CUSTOMERS_AT_ONCE = 100
EVENTS_AT_ONCE = 2000
STEPS_MAX = 20  # of one job; the next one goes on
MONTHS_SHOWN = 12
LOOKED_AT_FOR = timedelta(hours=3)  # after it ended; the look is taken every hour


def marked_anew(version: EventContractVersion) -> list[str]:
    """The properties that this version marks and the one in force does not, where there may be events before it."""
    former = version.contract.versions.filter(activated_at__isnull=False).exclude(pk=version.pk)
    in_force = former.order_by("-activated_at", "-version").first()
    if in_force is None:
        return []
    return sorted({*personal.marked(version.schema)} - {*personal.marked(in_force.schema)})


def find_flaws(version: EventContractVersion, *, present: Collection[int]) -> list[Reason]:
    """Why earlier events cannot be sealed: meters, beside the `present` ones, that counted by them; rows elsewhere."""
    names = marked_anew(version)
    if not names:
        return []
    found = list(_former_readers(version, names, present=present))
    pointer = "/schema/properties"
    away = EventArchive.objects.filter(attached_at=None).order_by("month").values_list("month", flat=True)
    if months := sorted({f"{month:%Y-%m}" for month in away}):
        detail = (
            f"Events of {', '.join(months[:MONTHS_SHOWN])} are put away, and may hold {names[0]!a} in clear. Bring them"
            " back (manage.py event_months attach), put the version in force, put them away again once all is sealed,"
            " and delete the files of before."
        )
        found.append(reason("personal_put_away", detail, pointer=pointer))
    if chosen.find_name() != Store.POSTGRES:
        detail = (
            f"Events lie in {Store(chosen.find_name()).label}, and may hold {names[0]!a} in clear. Switch back"
            " (manage.py event_store switch postgres), empty the other store, put the version in force, and switch"
            " again once all is sealed."
        )
        found.append(reason("personal_elsewhere", detail, pointer=pointer))
    if Customer.objects.filter(personal_key=None).exclude(legal_name="").exists():
        detail = "Some customers have no key yet: run manage.py personal_keys seal first."
        found.append(reason("personal_without_keys", detail, pointer=pointer))
    return found


def _former_readers(
    version: EventContractVersion, names: Sequence[str], *, present: Collection[int]
) -> Iterable[Reason]:
    """Past windows are counted again by the meters of their time, which must find what they found."""
    measures = MeterVersion.objects.select_related("meter").filter(
        meter__contract=version.contract_id, status=MeterVersion.Status.APPROVED
    )
    for measure in measures.exclude(pk__in=present).order_by("meter__code", "version"):
        reading = measure.as_reading()
        read = {reading.value_property, reading.operation_property, *(one.name for one in reading.filters)}
        for name in sorted({*read, *reading.group_by} & set(names)):
            detail = (
                f"Version {measure.version} of the meter {measure.meter.code} read {name!a}: what it counted could not"
                " be counted again. Send what is personal in a property of another name, and mark that one."
            )
            yield reason("meter_read_personal", detail, pointer="/schema/properties")


def start(version: EventContractVersion, *, names: Sequence[str], at: datetime) -> LaterSealing:
    """Begin to seal what the version marks anew, in the transaction that puts it in force."""
    run = LaterSealing.objects.create(version=version, names=names, started_at=at)
    _queue(run, at=at)
    return run


def go_on(*, sealing_id: int, at: datetime) -> None:
    """Seal the next events, each few in a transaction that also notes how far it came."""
    for _step in range(STEPS_MAX):
        if _seal_some(sealing_id, at=at):
            return
    with transaction.atomic():
        _queue(LaterSealing.objects.get(pk=sealing_id), at=at)


def look_again(*, at: datetime) -> list[LaterSealing]:
    """Begin again where an event came in clear by the rules before, while the version was put in force.

    That was a moment, so only what ended lately is looked at: a look reads every event of the type.
    """
    again = []
    for run in LaterSealing.objects.select_related("version").filter(finished_at__gte=at - LOOKED_AT_FOR):
        if sealing.left_in_clear(contract_id=run.version.contract_id, names=run.names):
            with transaction.atomic():
                run.finished_at, run.last_customer_id = None, 0
                run.save(update_fields=["finished_at", "last_customer_id"])
                _queue(run, at=at)
            again.append(run)
    return again


def fingerprints_now(seqs: Iterable[int]) -> dict[int, bytes]:
    """What those of these events that were sealed later hash to since, by number."""
    wanted = list(seqs)
    if not wanted:
        return {}
    rows = EventSealing.objects.filter(seq__in=wanted).order_by("pk").values_list("seq", "fingerprint")
    return {seq: bytes(mark) for seq, mark in rows}


def sealed_with(entry_id: int) -> list[tuple[int, bytes, bytes]]:
    """Number, fingerprint at capture and fingerprint since of each event that was sealed with this entry."""
    rows = EventSealing.objects.filter(audit_entry=entry_id).order_by("seq")
    return [(seq, bytes(one), bytes(two)) for seq, one, two in rows.values_list("seq", "captured", "fingerprint")]


def digest_of(rows: Iterable[tuple[int, bytes, bytes]]) -> str:
    """SHA-256 over number, fingerprint at capture and fingerprint now of each event, in the order of the numbers."""
    total = hashlib.sha256()
    for seq, before, now in sorted(rows):
        total.update(f"{seq} {before.hex()} {now.hex()}\n".encode())
    return total.hexdigest()


def _queue(run: LaterSealing, *, at: datetime) -> None:
    key = f"{run.pk} after {run.last_customer_id}, {run.sealed} sealed"
    work.enqueue(kind=JOB, key=key, arguments={"sealing_id": run.pk}, at=at)


def _seal_some(sealing_id: int, *, at: datetime) -> bool:
    """True once there is nothing left."""
    with transaction.atomic():
        run = LaterSealing.objects.select_for_update(of=("self",)).select_related("version").get(pk=sealing_id)
        following = Customer.objects.filter(pk__gt=run.last_customer_id).order_by("pk")
        customers = list(following.values_list("pk", flat=True)[:CUSTOMERS_AT_ONCE])
        if run.finished_at is None and not customers:
            run.finished_at = at
        elif run.finished_at is None:
            contract_id = run.version.contract_id
            events = sealing.find_clear(
                contract_id=contract_id, customer_ids=customers, names=run.names, limit=EVENTS_AT_ONCE
            )
            _seal(run, events, at=at)
            if len(events) < EVENTS_AT_ONCE:
                run.last_customer_id = customers[-1]
        run.save()
    return run.finished_at is not None


def _seal(run: LaterSealing, events: Sequence[ClearEvent], *, at: datetime) -> None:
    if not events:
        return
    seals = _seals({event.customer_id for event in events})
    sealed = [(event, _sealed(event, names=run.names, seal=seals[event.customer_id])) for event in events]
    now = [_fingerprint(event, data) for event, data in sealed]
    sealing.write_sealed(sealed)
    digest = digest_of((event.seq, event.fingerprint, mark) for event, mark in zip(events, now, strict=True))
    facts = {"sealing": run.pk, "properties": run.names, "events": len(events), "sha256": digest}
    entry = audit.append_entry(
        action=ACTION, subject=f"contract:{run.version_id}", actor=run.version.activated_by, facts=facts, at=at
    )
    bulk.insert_rows(
        [
            EventSealing(
                seq=event.seq,
                customer_id=event.customer_id,
                occurred_at=event.occurred_at,
                captured=event.fingerprint,
                fingerprint=mark,
                sealing=run,
                audit_entry=entry,
            )
            for event, mark in zip(events, now, strict=True)
        ]
    )
    run.sealed += len(events)


def _seals(customer_ids: set[int]) -> dict[int, Seal]:
    """What seals for each; of whoever was erased before nothing is kept. One without a name gets a key now."""
    for customer in Customer.objects.select_for_update().filter(pk__in=customer_ids, personal_key=None):
        customer.personal_key = personal_keys.make_key()
        history.save_change(customer, fields=["personal_key"], actor=None)
    keys = accounts_queries.find_personal_keys(sorted(customer_ids))
    return {
        customer_id: personal_keys.text_sealer(key_id) or personal_keys.sealer_of_nothing(key_id)
        for customer_id, key_id in keys.items()
    }


def _sealed(event: ClearEvent, *, names: Sequence[str], seal: Seal) -> bytes:
    data: dict[str, Any] = dict(event.data)
    for name in names:
        said = data.get(name)
        if said is None or said == "" or personal.is_sealed(said):
            continue
        data[name] = seal(name, said if isinstance(said, str) else exact_json.write(said).decode())
    return exact_json.write(data)


def _fingerprint(event: ClearEvent, data: bytes) -> bytes:
    names = (event.source, event.event_id, event.event_type, event.subject, instant_text(event.occurred_at))
    return fingerprint.fingerprint_event(*names, data=data, extras=event.extras)
