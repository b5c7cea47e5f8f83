"""The definition of an accepted billable event: envelope, contract in force, customer, time and metered values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from metering.rules import envelope, fingerprint, values
from metering.rules.instants import Instant, instant_text
from metering.rules.reasons import REASONS_MAX, Reason, pointer_to, reason
from metering.rules.schema import Schema

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DataRules:
    """What `data` must hold: for billing, as numbers that are metered, and by its schema."""

    required: tuple[str, ...]
    numbers: tuple[str, ...]
    schema: Schema


@dataclass(frozen=True, slots=True)
class ContractInForce:
    """One contract version as capture needs it."""

    event_type: str
    contract_id: int
    version_id: int
    data_rules: DataRules
    accepts_past: timedelta
    accepts_future: timedelta


@dataclass(frozen=True, slots=True)
class RuleBook:
    """What decides about a delivery; None stands for a contract without a version in force."""

    contracts: Mapping[str, ContractInForce | None]
    customers: Mapping[str, int]


class BillableEvent(NamedTuple):
    """An event that passed: the columns of its row."""

    source: str
    event_id: str
    customer_id: int
    contract_id: int
    version_id: int
    occurred_at: str
    fingerprint: bytes
    data: bytes
    extras: bytes | None


def check_event(event: Data, *, rules: RuleBook, sent_at: datetime, at: datetime) -> BillableEvent | tuple[Reason, ...]:
    """Give the row of a billable event, or every reason why it is none.

    Its age counts back from `sent_at`, when it was first delivered; whether it lies in the future is judged `at` now.
    """
    flaws: list[Reason] = []
    envelope.check_specversion(event, flaws)
    source = envelope.read_identity(event, "source", flaws)
    event_id = envelope.read_identity(event, "id", flaws)
    event_type = envelope.read_name(event, "type", flaws)
    subject = envelope.read_name(event, "subject", flaws)
    instant = envelope.read_time(event, flaws)
    data = envelope.read_data(event, flaws)
    extras = envelope.read_extras(event, instant, flaws)
    written = envelope.write_part(data, flaws, pointer="/data") if data is not None else b""
    kept = envelope.write_part(extras, flaws, pointer="") if extras else None
    contract = _find_contract(event_type, rules, flaws)
    customer_id = _find_customer(subject, rules, flaws)
    if contract is not None and instant is not None:
        _check_time(instant, contract, sent_at, at, flaws)
    if contract is not None and data is not None and written:
        check_data(data, contract.data_rules, flaws)
    if flaws or contract is None or customer_id is None or instant is None:
        return tuple(flaws[:REASONS_MAX])
    mark = fingerprint.fingerprint_event(
        source=source,
        event_id=event_id,
        event_type=event_type,
        subject=subject,
        time=instant.text,
        data=written,
        extras=extras,
    )
    return BillableEvent(
        source, event_id, customer_id, contract.contract_id, contract.version_id, instant.text, mark, written, kept
    )


def check_data(data: Data, rules: DataRules, flaws: list[Reason]) -> None:
    """Note what is missing for billing, what cannot be counted, and where the schema is broken."""
    missing = [name for name in rules.required if data.get(name) is None]
    flaws.extend(reason("billing_field_missing", f"Billing needs {name!a}.", pointer=_at(name)) for name in missing)
    for name in rules.numbers:
        value = data.get(name)
        if value is not None and (code := values.find_flaw(value)):
            flaws.append(reason(code, pointer=_at(name)))
    if not rules.schema.is_valid(data):
        known = {flaw.pointer for flaw in flaws}
        flaws += [flaw for flaw in rules.schema.find_flaws(data) if flaw.pointer not in known]


def _at(name: str) -> str:
    return pointer_to(("data", name))


def _find_contract(event_type: str, rules: RuleBook, flaws: list[Reason]) -> ContractInForce | None:
    contract = rules.contracts.get(event_type)
    if contract is None and event_type:
        is_known = event_type in rules.contracts
        code = "contract_not_in_force" if is_known else "type_unknown"
        flaws.append(reason(code, pointer="/type"))
    return contract


def _find_customer(subject: str, rules: RuleBook, flaws: list[Reason]) -> int | None:
    customer_id = rules.customers.get(subject)
    if customer_id is None and subject:
        flaws.append(reason("customer_unknown", f"No customer has the code {subject[:60]!a}.", pointer="/subject"))
    return customer_id


def _check_time(
    instant: Instant, contract: ContractInForce, sent_at: datetime, at: datetime, flaws: list[Reason]
) -> None:
    if instant.at < sent_at - contract.accepts_past:
        oldest = instant_text(sent_at - contract.accepts_past)
        flaws.append(reason("time_too_old", f"The contract accepts events since {oldest}.", pointer="/time"))
    elif instant.at > at + contract.accepts_future:
        latest = instant_text(at + contract.accepts_future)
        flaws.append(reason("time_in_future", f"The contract accepts events up to {latest}.", pointer="/time"))
