"""Makes replay sets and new versions of their content, and says which of them are required."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts import roles
from accounts.models import Customer
from accounts.roles import Role
from core import audit
from core.errors import DomainError, InvalidInputError, NotFoundError
from invoicing.replay import candidate, forgetting, history, queries, rows
from invoicing.replay.models import ReplayRequirement, ReplaySet, ReplaySetVersion
from invoicing.replay.rules import arrival, includes
from invoicing.replay.rules import content as contents
from invoicing.replay.rules.content import Content, ContentInvalidError
from metering.rules import reading

MAKERS = frozenset({Role.PRODUCT, Role.FINANCE, Role.ENGINEERING})
REQUIRERS = frozenset({Role.PRODUCT, Role.FINANCE})
STATEMENT_LENGTH_MIN = 10


class SameContentError(DomainError):
    """The latest version of the set holds the very same."""

    code = "replay_set_unchanged"


class NotCoveredError(DomainError):
    """The required sets of the program together do not show everything that goes wrong in billing."""

    code = "replay_not_covered"


class ContentErasedError(DomainError):
    """The content of this version was erased with somebody whom it named; its hash and the results of its runs stay."""

    code = "replay_content_erased"
    http_status = 410


class OtherProgramError(InvalidInputError):
    """A set stays with its program."""

    code = "replay_other_program"


def make_from_history(
    *,
    name: str,
    customer_codes: Sequence[str],
    until: datetime | None,
    description: str = "",
    orders: int | None = None,
    actor: Any,
    at: datetime,
) -> ReplaySetVersion:
    """A set, or the next version of one, from everything these customers were billed up to an instant.

    `orders`: in how many shuffled orders of arrival its runs play it, 2 to 100; None leaves it as its last version has
    it, 20 for a new set.
    """
    _require_maker(actor)
    _require_orders(orders)
    content = history.make_content(customer_codes=customer_codes, until=until)
    made = _Made(content=content, origin="history", description=description, orders=orders)
    return _keep(name, made, actor=actor, at=at)


def upload(
    *, name: str, text: bytes, description: str = "", orders: int | None = None, actor: Any, at: datetime
) -> ReplaySetVersion:
    """A set, or the next version of one, from JSON in the documented shape (`rules/shape.py`); `orders` as above.

    ContentInvalidError names each flaw with its pointer.
    """
    _require_maker(actor)
    _require_orders(orders)
    if len(text) > contents.BYTES_MAX:
        raise InvalidInputError(f"A set is at most {contents.BYTES_MAX // 2**20} MiB; take fewer events.")
    made = _Made(content=check_upload(text), origin="upload", description=description, orders=orders)
    return _keep(name, made, actor=actor, at=at)


def check_upload(text: bytes) -> Content:
    """The content, if it could be played: its shape, its rows as PostgreSQL reads them, and its customers."""
    try:
        decoded = text.decode()
    except UnicodeDecodeError as error:
        raise ContentInvalidError([("", f"It is not UTF-8 (byte {error.start}).")]) from error
    value, flaws = reading.read_value(decoded)
    if flaws:
        raise ContentInvalidError([("", flaws[0].detail)])
    content = contents.check(value)
    found = [
        (f"/steps/{number}/rows/{table}/{place}", detail)
        for number, step in enumerate(content["steps"])
        for table, place, detail in rows.find_flaws(step["rows"])
    ]
    if found := [*found, *_flaws_of_customers(content)]:
        raise ContentInvalidError(found)
    return content


def _flaws_of_customers(content: Content) -> list[tuple[str, str]]:
    table = Customer._meta.db_table
    known = {row["code"]: row for step in content["steps"] for row in step["rows"].get(table, [])}
    flaws = [
        (f"/customers/{place}", f"No row of {table} has the code {code[:60]}.")
        for place, code in enumerate(content["customers"])
        if code not in known
    ]
    others = {row["program"] for row in known.values()} - {content["program"]}
    if others:
        flaws.append(("/program", f"Customers of {', '.join(sorted(others))} are in it; a set is about one program."))
    return flaws


def find_set(name: str) -> ReplaySet:
    """NotFoundError where there is no such set."""
    found = ReplaySet.objects.filter(name=name).first()
    if found is None:
        raise NotFoundError(f"There is no replay set {name}.")
    return found


def content_of(version: ReplaySetVersion) -> Content:
    """ContentInvalidError if the bytes are no longer those that were hashed; ContentErasedError if there are none."""
    require_content(version)
    text = contents.canonical_text(contents.unpack(version.content))
    if contents.hash_of(text) != version.content_hash:
        raise ContentInvalidError([("", f"{version} no longer holds what was hashed; do not use it.")])
    return contents.unpack(version.content)


def require_content(version: ReplaySetVersion) -> None:
    """ContentErasedError where there is none any more."""
    if forgetting.is_erased(version):
        raise ContentErasedError(forgetting.in_words(version))


@transaction.atomic
def decide_requirement(*, name: str, is_required: bool, statement: str, actor: Any, at: datetime) -> ReplayRequirement:
    """Require a set, or no longer.

    The required sets of a program have to show retries, late arrivals, plan changes and threshold crossings between
    them. Where they do not, a statement says why that is enough; it stands in the audit chain under the person's name.
    """
    roles.require_role(actor, *sorted(REQUIRERS), to="say which replay sets are required")
    replay_set = find_set(name)
    ReplaySet.objects.select_for_update().get(pk=replay_set.pk)
    statement = statement.strip()
    if len(statement) < STATEMENT_LENGTH_MIN:
        _require_needless(replay_set, is_required=is_required)
    missing = missing_with(replay_set) if is_required else []
    facts = {"is_required": is_required, "statement": statement, "program": replay_set.program, "missing": missing}
    entry = audit.append_entry(
        action="replay.required" if is_required else "replay.not_required",
        subject=f"replay_set:{replay_set.pk}",
        actor=actor,
        facts=facts,
        at=at,
    )
    return ReplayRequirement.objects.create(
        replay_set=replay_set,
        is_required=is_required,
        statement=statement,
        decided_by=actor,
        decided_at=at,
        audit_entry=entry,
    )


def _require_needless(replay_set: ReplaySet, *, is_required: bool) -> None:
    """A statement may only be left out where nothing is missing."""
    if not is_required:
        raise InvalidInputError(
            f"Say in {STATEMENT_LENGTH_MIN} characters or more why this set is no longer required.",
            pointer="/statement",
        )
    missing = missing_with(replay_set)
    if missing:
        raise NotCoveredError(
            f"The required sets of {replay_set.program} would show no {', no '.join(missing)}. Require a set that does,"
            f" or say in {STATEMENT_LENGTH_MIN} characters or more why that is enough.",
            pointer="/statement",
        )


def missing_with(replay_set: ReplaySet) -> list[str]:
    """What the required sets of its program, and this one, do not show between them."""
    together = {replay_set, *queries.required_sets(replay_set.program)}
    return includes.missing_of(queries.latest_version(one).includes for one in together)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """What becomes the next version of a set; `orders` of None stays as it was."""

    content: Content
    origin: str
    description: str
    orders: int | None


@transaction.atomic
def _keep(name: str, made: _Made, *, actor: Any, at: datetime) -> ReplaySetVersion:
    content = made.content
    text = contents.canonical_text(content)
    replay_set = _find_or_open(name, program=content["program"], description=made.description, actor=actor, at=at)
    last = replay_set.versions.defer("content").order_by("-version").first()
    orders = made.orders or (arrival.ORDERS_DEFAULT if last is None else last.orders)
    content_hash = contents.hash_of(text)
    if last is not None and (last.content_hash, last.orders) == (content_hash, orders):
        raise SameContentError(f"The latest version of {name} holds the very same; nothing was kept.")
    version = ReplaySetVersion(
        replay_set=replay_set,
        version=1 if last is None else last.version + 1,
        origin=made.origin,
        content=contents.pack(text),
        content_hash=content_hash,
        includes=includes.find_includes(content),
        holds=candidate.held_ids(content),
        event_count=sum(1 for _ in contents.events_of(content)),
        document_count=sum(1 for _ in contents.documents_of(content)),
        orders=orders,
        notes=content.get("notes", []),
        created_by=actor,
        created_at=at,
    )
    version.save(force_insert=True)
    facts = {
        "name": name,
        "version": version.version,
        "content_hash": content_hash,
        "includes": version.includes,
        "orders": orders,
    }
    audit.append_entry(action="replay.set_made", subject=f"replay_set:{replay_set.pk}", actor=actor, facts=facts, at=at)
    return version


def _find_or_open(name: str, *, program: str, description: str, actor: Any, at: datetime) -> ReplaySet:
    found = ReplaySet.objects.select_for_update().filter(name=name).first()
    if found is None:
        found = ReplaySet(name=name, program=program, description=description, created_by=actor, created_at=at)
        found.full_clean(exclude=["created_by"])
        found.save(force_insert=True)
    if found.program != program:
        raise OtherProgramError(
            f"Set {name} is about the program {found.program}, and this content about {program}; name it otherwise.",
            pointer="/program",
        )
    return found


def _require_orders(orders: int | None) -> None:
    if orders is not None and not arrival.ORDERS_MIN <= orders <= arrival.ORDERS_MAX:
        raise InvalidInputError(
            f"A set is played in {arrival.ORDERS_MIN} to {arrival.ORDERS_MAX} shuffled orders of arrival.",
            pointer="/orders",
        )


def _require_maker(actor: Any) -> None:
    """Without an actor it is the operator of the installation, at its command line."""
    if actor is not None:
        roles.require_role(actor, *sorted(MAKERS), to="make replay sets")
