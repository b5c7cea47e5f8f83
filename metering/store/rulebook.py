"""What capture decides by, read fresh for every delivery: contracts in force, their meters, and customers."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import repeat
from typing import Any, TypeGuard

import orjson

from accounts import queries
from core import personal_keys
from core.statements import fetch_soon
from metering.models import EventContractVersion
from metering.rules import readings
from metering.rules.contract import ContractInForce, DataRules, RuleBook
from metering.rules.envelope import SUBJECT
from metering.rules.personal import WHY, Seal
from metering.rules.schema import Schema
from metering.store.literals import text_array

NAME_LENGTH_MAX = 200
COMPILED_MAX = 512
UNIQUE = text_array(sorted(readings.UNIQUE))
# What meters read now or will read, by versions in force or yet to be; a unique count takes any value, every other
# meter with a value takes numbers. One statement answers everything, for small deliveries wait for answers most.
_RULES = """
SELECT moment.at, customers.codes, customers.ids, (
    SELECT coalesce(jsonb_agg(jsonb_build_array(
        contract.event_type, contract.id, version.id, version.billing_fields, version.accepts_past_days,
        version.accepts_future_seconds, measured.valued, measured.numbers)), '[]')::text
    FROM metering_eventcontract AS contract
    LEFT JOIN metering_eventcontractversion AS version
      ON version.contract_id = contract.id AND version.status = 'active'
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(measure.value_property), '{}') AS valued,
               coalesce(array_agg(measure.value_property) FILTER (WHERE measure.aggregation <> ALL(%s::text[])), '{}')
                 AS numbers
        FROM metering_meter AS meter JOIN metering_meterversion AS measure ON measure.meter_id = meter.id
        WHERE meter.contract_id = contract.id AND measure.value_property <> '' AND measure.status = 'approved'
          AND NOT EXISTS (
            SELECT FROM metering_meterversion AS later
            WHERE later.meter_id = measure.meter_id AND later.status = 'approved' AND later.effective_at <= moment.at
              AND (later.effective_at, later.version) > (measure.effective_at, measure.version))
    ) AS measured
    WHERE contract.event_type = ANY(%s::text[])
)
FROM (SELECT coalesce(%s::timestamptz, clock_timestamp()) AS at) AS moment
CROSS JOIN (
    SELECT string_agg(code, E'\x1f') AS codes, string_agg(id::text, ',') AS ids
    FROM accounts_customer WHERE code = ANY(%s::text[])
) AS customers
"""


def load_rulebook(events: Sequence[dict[str, Any]], *, sent_at: datetime | None, at: datetime | None) -> RuleBook:
    """Read the contracts and customers that these events name, as committed now: nothing here can be out of date.

    Without an instant it is the database's own, the one clock that every web process of an installation shares.
    """
    subjects, external = _names(events, "subject"), _external(events)
    parameters = [UNIQUE, text_array(_names(events, "type")), at, text_array(subjects)]
    ((moment, codes, ids, contracts),) = fetch_soon(_RULES, parameters)
    # Only codes that were asked for come back, hence none with a control character in it.
    customers = dict(zip(codes.split("\x1f"), map(int, ids.split(",")), strict=True)) if codes else {}
    sent = moment if sent_at is None else sent_at
    in_force = {row[0]: _in_force(*row, sent_at=sent, at=moment) for row in orjson.loads(contracts)}
    # A code comes before a name that somebody was given: naming one can never take another customer's events.
    external += [(SUBJECT, subject) for subject in subjects if subject not in customers]
    if not external:
        seals = _seals(in_force, customers, events=events)
        return RuleBook(contracts=in_force, customers=customers, seals=seals)
    aliases = queries.find_aliases(external)
    customers |= queries.find_customer_ids(sorted(set(aliases.values()) - set(customers)))
    seals = _seals(in_force, customers, events=events)
    return RuleBook(contracts=in_force, customers=customers, aliases=aliases, seals=seals)


def _seals(
    contracts: Mapping[str, ContractInForce | None], customers: Mapping[str, int], *, events: Sequence[dict[str, Any]]
) -> dict[int, Seal]:
    """What seals for each customer, only where a contract marks anything or a sender says why: nobody else waits."""
    is_marked = any(one.data_rules.personal for one in contracts.values() if one is not None)
    if not is_marked and not any(map(dict.__contains__, events, repeat(WHY))):
        return {}
    keys = queries.find_personal_keys(sorted(set(customers.values())))
    found = {customer_id: personal_keys.text_sealer(key_id) for customer_id, key_id in keys.items()}
    return {customer_id: seal for customer_id, seal in found.items() if seal is not None}


def _external(events: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """Give the ids of other systems that stand where a customer's code would."""
    if not any(map(dict.__contains__, events, repeat("subjectid"))):
        return []
    found = ((event.get("subjectsystem"), event.get("subjectid")) for event in events if "subjectid" in event)
    return sorted({(system, name) for system, name in found if _is_name(system) and _is_name(name)})


def _names(events: Sequence[dict[str, Any]], attribute: str) -> list[str]:
    """Give what could be the name of anything; the rest need not be looked up to be unknown."""
    try:
        texts: set[Any] = set(map(dict.get, events, repeat(attribute)))
    except TypeError:  # one of them is a list or an object
        texts = {text for event in events if type(text := event.get(attribute)) is str}
    return sorted(texts if _are_names(texts) else filter(_is_name, texts))


def _are_names(texts: Collection[Any]) -> bool:
    """Say of all of them at once what `_is_name` says of each."""
    if set(map(type, texts)) != {str}:
        return False
    lengths = set(map(len, texts))
    return min(lengths) > 0 and max(lengths) <= NAME_LENGTH_MAX and "".join(texts).isprintable()


def _is_name(text: Any) -> TypeGuard[str]:
    return type(text) is str and text.isprintable() and 0 < len(text) <= NAME_LENGTH_MAX


def _in_force(
    event_type: str,
    contract_id: int,
    version_id: int | None,
    billing_fields: list[str],
    past_days: int,
    future_seconds: int,
    valued: list[str],
    numbers: list[str],
    *,
    sent_at: datetime,
    at: datetime,
) -> ContractInForce | None:
    if version_id is None:
        return None
    return ContractInForce(
        event_type=event_type,
        contract_id=contract_id,
        version_id=version_id,
        data_rules=DataRules(
            required=tuple(dict.fromkeys([*billing_fields, *valued])),
            numbers=tuple(dict.fromkeys(numbers)),
            schema=compiled_schema(version_id),
            personal=compiled_schema(version_id).personal,
        ),
        earliest=sent_at - timedelta(days=past_days),
        latest=at + timedelta(seconds=future_seconds),
    )


@lru_cache(maxsize=COMPILED_MAX)
def compiled_schema(version_id: int) -> Schema:
    """Compile once per process: the schema of a version that was ever in force cannot change."""
    return Schema(EventContractVersion.objects.values_list("schema", flat=True).get(pk=version_id))
