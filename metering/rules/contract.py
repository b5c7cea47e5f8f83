"""The definition of an accepted billable event: envelope, contract in force, customer, time and metered values."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import repeat
from typing import Any, NamedTuple

from metering.rules import envelope, exact_json, fingerprint, personal, values
from metering.rules.instants import Instant, instant_text
from metering.rules.personal import Seal
from metering.rules.reasons import REASONS_MAX, Reason, pointer_to, reason
from metering.rules.schema import Schema

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DataRules:
    """What `data` must hold: for billing, as numbers that are metered, and by its schema."""

    required: tuple[str, ...]
    numbers: tuple[str, ...]
    schema: Schema
    personal: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContractInForce:
    """One contract version as it judges one delivery: events from `earliest` to `latest` are in time."""

    event_type: str
    contract_id: int
    version_id: int
    data_rules: DataRules
    earliest: datetime
    latest: datetime


@dataclass(frozen=True, slots=True)
class RuleBook:
    """What decides about a delivery; None stands for a contract without a version in force.

    `aliases` give the code of the customer who has an id in another system; `seals` what seals personal properties of
    a customer's events, and nothing of those of whom nothing can be kept.
    """

    contracts: Mapping[str, ContractInForce | None]
    customers: Mapping[str, int]
    aliases: Mapping[tuple[str, str], str] = field(default_factory=dict)
    seals: Mapping[int, Seal] = field(default_factory=dict)

    def types(self) -> dict[int, str]:
        """Name the contracts in force by their ids."""
        return {found.contract_id: name for name, found in self.contracts.items() if found is not None}


class BillableEvent(NamedTuple):
    """An event that passed: the columns of its row."""

    source: str
    event_id: str
    customer_id: int
    contract_id: int
    version_id: int
    occurred_at: str
    fingerprint: bytes
    data: str
    extras: str | None


class Columns(NamedTuple):
    """The same of many events, column by column."""

    sources: Sequence[str]
    event_ids: Sequence[str]
    customer_ids: Sequence[int]
    contract_ids: Sequence[int]
    version_ids: Sequence[int]
    times: Sequence[str]
    fingerprints: Sequence[bytes]
    data: Sequence[str]
    extras: Sequence[str | None]

    @classmethod
    def of(cls, events: Sequence[BillableEvent]) -> "Columns":
        return cls(*(zip(*events, strict=True) if events else [()] * len(cls._fields)))

    def rows(self) -> list[BillableEvent]:
        return list(map(tuple.__new__, repeat(BillableEvent), zip(*self, strict=True)))


def check_event(event: Data, *, rules: RuleBook) -> BillableEvent | tuple[Reason, ...]:
    """Give the row of a billable event, or every reason why it is none."""
    return check_plain(event, rules) or look_closely(event, rules)


def check_plain(event: Data, rules: RuleBook) -> BillableEvent | None:
    """Accept an event without any peculiarity, by the same rules in a third of the steps; None for a closer look.

    Plain is: the seven known attributes and no other, a canonical time, nothing amiss anywhere.
    """
    try:
        source, event_id, time, data = event["source"], event["id"], event["time"], event["data"]
        contract, customer_id = rules.contracts[event["type"]], rules.customers[event["subject"]]
        if (
            contract is None
            or contract.data_rules.personal
            or len(event) != len(envelope.KNOWN)
            or event["specversion"] != "1.0"
            or type(data) is not dict
            or not (is_identity(source) and is_identity(event_id) and is_canonical_time(time))
            or not contract.earliest <= datetime.fromisoformat(time) <= contract.latest
            or not _is_countable(data, contract.data_rules)
        ):
            return None
        written = exact_json.write(data)
    except (KeyError, TypeError, ValueError):  # something is missing, or of a kind that nobody expects there
        return None
    if len(written) > envelope.EVENT_BYTES_MAX or b"\\u0000" in written:
        return None
    names = (source, event_id, event["type"], event["subject"], time)
    mark = fingerprint.fingerprint_event(*names, data=written, extras=_NO_EXTRAS)
    own = (customer_id, contract.contract_id, contract.version_id)
    return BillableEvent(source, event_id, *own, time, mark, written.decode(), None)


# As `envelope.read_identity` and `instants.read_instant` say it of what needs no change.
is_identity = re.compile(r"[!-~](?:[ -~]{0,198}[!-~])?").fullmatch
is_canonical_time = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9](?:\.[0-9]{0,5}[1-9])?Z"
).fullmatch
_NO_EXTRAS: Data = {}


def _is_countable(data: Data, rules: DataRules) -> bool:
    for name in rules.required:
        if data.get(name) is None:
            return False
    for name in rules.numbers:
        value = data.get(name)
        if value is not None and values.find_flaw(value):
            return False
    return rules.schema.is_valid(data)


def look_closely(event: Data, rules: RuleBook) -> BillableEvent | tuple[Reason, ...]:
    """Do the same for any event whatever, with every reason."""
    flaws: list[Reason] = []
    if event.get("specversion") != "1.0":
        flaws.append(reason("specversion_unsupported", pointer="/specversion"))
    source = envelope.read_identity(event, "source", flaws)
    event_id = envelope.read_identity(event, "id", flaws)
    event_type = envelope.read_name(event, "type", flaws)
    subject = envelope.read_subject(event, rules.aliases, flaws)
    instant = envelope.read_time(event, flaws)
    correction = envelope.read_correction(event, flaws) if "corrects" in event or "correction" in event else None
    is_cancel = correction is not None and correction.action == envelope.CANCEL
    data = envelope.read_data(event, flaws)
    extras = envelope.read_extras(event, instant, flaws)
    contract = rules.contracts.get(event_type)
    customer_id = rules.customers.get(subject)
    if contract is None or customer_id is None:
        flaws += _find_unknown(event, event_type, rules, is_known=customer_id is not None)
    seal = rules.seals.get(customer_id or 0)
    is_kept, carried = _seal(data, contract, seal)
    told = personal.seal_why(extras, seal=seal) if correction else extras
    if not (is_kept and told is not None) and customer_id is not None:
        flaws.append(reason("customer_not_kept", pointer="/subject"))
    written = envelope.write_part(carried, flaws, pointer="/data")
    extras = told or extras
    kept = envelope.write_part(extras, flaws, pointer="") if extras else None
    if contract is not None and instant is not None and not contract.earliest <= instant.at <= contract.latest:
        flaws.append(_out_of_time(instant, contract))
    if written and not is_cancel:  # a cancellation counts nothing, whatever it carries
        _check_payload(event, data, contract, flaws)
    if flaws or contract is None or customer_id is None or instant is None:
        return tuple(flaws[:REASONS_MAX])
    mark = fingerprint.fingerprint_event(
        source, event_id, event_type, subject, instant.text, data=written, extras=extras
    )
    # As str: what orjson gives is cut from a kilobyte, and keeping thousands of those costs more than all the rest.
    data_text, extras_text = written.decode(), kept.decode() if kept else None
    return BillableEvent(
        source,
        event_id,
        customer_id,
        contract.contract_id,
        contract.version_id,
        instant.text,
        mark,
        data_text,
        extras_text,
    )


def _seal(data: Any, contract: ContractInForce | None, seal: Seal | None) -> tuple[bool, Any]:
    """Whether it can be kept, and as what: what the contract calls personal is sealed before anything is written."""
    marked = () if contract is None or type(data) is not dict else contract.data_rules.personal
    names = personal.in_clear(data, names=marked)
    if not names:
        return True, data
    return (False, data) if seal is None else (True, personal.seal_data(data, names=names, seal=seal))


def fingerprint_for(event: Data, *, customer_code: str) -> bytes:
    """Hash an event that was found billable, as if its customer were this one."""
    flaws: list[Reason] = []
    source, event_id = (envelope.read_identity(event, name, flaws) for name in ("source", "id"))
    instant = envelope.read_time(event, flaws)
    extras = envelope.read_extras(event, instant, flaws)
    names = (source, event_id, event["type"], customer_code, instant.text if instant else "")
    return fingerprint.fingerprint_event(*names, data=exact_json.write(envelope.read_data(event, flaws)), extras=extras)


def _check_payload(event: Data, data: Any, contract: ContractInForce | None, flaws: list[Reason]) -> None:
    """Where billing needs properties there must be some; where it needs none, the schema alone decides."""
    if (contract is None or contract.data_rules.required) and (flaw := envelope.find_data_flaw(event)):
        flaws.append(flaw)
    elif contract is not None:
        check_data(data, contract.data_rules, flaws)


def check_data(data: Any, rules: DataRules, flaws: list[Reason]) -> None:
    """Note what is missing for billing, what cannot be counted, and where the schema is broken."""
    named: Data = data if type(data) is dict else {}
    missing = [name for name in rules.required if named.get(name) is None]
    flaws.extend(reason("billing_field_missing", f"Billing needs {name!a}.", pointer=_at(name)) for name in missing)
    for name in rules.numbers:
        value = named.get(name)
        if value is not None and (code := values.find_flaw(value)):
            flaws.append(reason(code, pointer=_at(name)))
    if not rules.schema.is_valid(data):
        # What is sealed already was judged before: its schema says nothing about the seal.
        sealed = personal.sealed_before(named, names=rules.personal)
        known = {flaw.pointer for flaw in flaws} | {_at(name) for name in sealed}
        flaws += [flaw for flaw in rules.schema.find_flaws(data) if flaw.pointer not in known]


def _at(name: str) -> str:
    return pointer_to(("data", name))


def _find_unknown(event: Data, event_type: str, rules: RuleBook, *, is_known: bool) -> Iterator[Reason]:
    if event_type and rules.contracts.get(event_type) is None:
        code = "contract_not_in_force" if event_type in rules.contracts else "type_unknown"
        yield reason(code, pointer="/type")
    system, name = envelope.name_of_customer(event)
    if name and not is_known:
        shown = f"{name[:60]!a}"
        is_code = system == envelope.SUBJECT
        what = f"code {shown}, nor that id in the system 'subject'" if is_code else f"id {shown} in {system[:60]!a}"
        yield reason("customer_unknown", f"No customer has the {what}.", pointer="/subject")


def _out_of_time(instant: Instant, contract: ContractInForce) -> Reason:
    if instant.at < contract.earliest:
        since = instant_text(contract.earliest)
        return reason("time_too_old", f"The contract accepts events since {since}.", pointer="/time")
    until = instant_text(contract.latest)
    return reason("time_in_future", f"The contract accepts events up to {until}.", pointer="/time")
