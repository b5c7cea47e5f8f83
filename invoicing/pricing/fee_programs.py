"""Fee programs: made once, changed by versions that one person proposes and another approves."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction

from core import knowing
from core.errors import DomainError, InvalidInputError, NotFoundError
from invoicing.pricing import proposals
from invoicing.pricing.models import FeeProgram, FeeProgramVersion, Plan, ProposalStatus
from invoicing.pricing.rules import fee_terms, instants, timeline
from invoicing.pricing.rules.fee_params import FeeProgramParams
from invoicing.pricing.rules.fee_terms import FeeTerms
from invoicing.pricing.rules.timeline import Dated, Stretch


class ProgramTakenError(DomainError):
    """There is a program of this code already."""

    code = "fee_program_taken"


class ProgramUnfitError(InvalidInputError):
    """The program cannot price this charge, or its terms do not fit how it takes effect."""

    code = "fee_program_unfit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where figures were read, when, and whether that is the provider's own word."""

    text: str
    read_on: date
    kind: str
    note: str = ""


def create_program(
    *, code: str, name: str, takes_effect: str, description: str = "", actor: Any, at: datetime
) -> FeeProgram:
    """A program without versions; it charges nothing until one is approved."""
    proposals.check_author(actor)
    try:
        with transaction.atomic():
            return FeeProgram.objects.create(
                code=code, name=name, takes_effect=takes_effect, description=description, created_at=at
            )
    except IntegrityError as error:
        raise ProgramTakenError(f"There is a fee program {code} already.", pointer="/code") from error


def propose_version(
    *, program: FeeProgram, terms: Any, source: Source, effective_at: datetime, actor: Any, at: datetime
) -> FeeProgramVersion:
    """The next version, for another person to approve; in force from `effective_at` until a later one."""
    proposals.check_author(actor)
    instants.check_instant(effective_at, pointer="/effective_at")
    parsed = fee_terms.parse_terms(terms)
    if parsed.counts_accounts and program.takes_effect != FeeProgram.TakesEffect.NEXT_PERIOD:
        detail = f"Program {program.code} changes inside a period, so an account could count twice in it."
        raise ProgramUnfitError(f"{detail} Make a program that changes with the period.", pointer="/terms/tables")
    with transaction.atomic():
        FeeProgram.objects.select_for_update(no_key=True).get(pk=program.pk)
        version = FeeProgramVersion.objects.create(
            program=program,
            version=proposals.next_version(program.versions.all(), effective_at=effective_at, at=at),
            effective_at=effective_at,
            terms=fee_terms.write_terms(parsed),
            source=source.text,
            source_date=source.read_on,
            source_kind=source.kind,
            note=source.note,
            created_by=actor,
            created_at=at,
        )
        facts = {"terms": version.terms, "source": source.text, "source_date": source.read_on.isoformat()}
        proposals.record_proposal(version, subject=_subject(version), facts=facts)
    return version


def approve_version(*, pk: int, actor: Any, at: datetime) -> FeeProgramVersion:
    """Let a version count from its instant on; refused to its author."""
    with transaction.atomic():
        version = _lock_version(pk)
        siblings = FeeProgramVersion.objects.filter(program=version.program_id)
        proposals.approve(version, siblings=siblings, subject=_subject(version), actor=actor, at=at)
    return version


def withdraw_version(*, pk: int, actor: Any, at: datetime) -> FeeProgramVersion:
    """Turn a proposed version down; it is kept."""
    with transaction.atomic():
        version = _lock_version(pk)
        proposals.withdraw(version, subject=_subject(version), actor=actor, at=at)
    return version


def find_version(*, program_code: str, version: int) -> FeeProgramVersion:
    """One version of a program, as doors name it."""
    found = FeeProgramVersion.objects.filter(program__code=program_code, version=version).first()
    if found is None:
        raise NotFoundError(f"There is no version {version} of a fee program {program_code}.")
    return found


def check_charge(params: FeeProgramParams, *, plan: Plan) -> None:
    """Refuse a price by a program that is not there, has no table in the plan's currency, or counts other months."""
    program = FeeProgram.objects.filter(code=params.program).first()
    if program is None:
        raise NotFoundError(f"There is no fee program {params.program}.", pointer="/params/program")
    known = [read_terms(version) for version in program.versions.exclude(status=ProposalStatus.WITHDRAWN)]
    tables = [table for terms in known for table in terms.tables]
    if not any(table.currency == plan.currency for table in tables):
        detail = f"Program {program.code} has no table in {plan.currency}, the currency of plan {plan.code}."
        raise ProgramUnfitError(f"{detail} Propose a version that has one.", pointer="/params/program")
    if plan.interval != Plan.Interval.MONTH and any(terms.counts_accounts for terms in known):
        detail = f"Program {program.code} counts the accounts of each month; plan {plan.code} does not bill monthly."
        raise ProgramUnfitError(detail, pointer="/params/program")


def versions_in_time(program_codes: Iterable[str]) -> dict[str, list[Stretch]]:
    """The approved versions of each program, laid end to end."""
    approved = FeeProgramVersion.objects.filter(
        knowing.is_known("decided_at"), program__code__in=set(program_codes), status=ProposalStatus.APPROVED
    )
    dated: dict[str, list[Dated]] = defaultdict(list)
    rows = approved.order_by("pk").values_list("program__code", "pk", "effective_at", "version")
    for code, pk, effective_at, version in rows:
        dated[code].append(Dated(pk, effective_at, version))
    return {code: timeline.in_force(versions) for code, versions in dated.items()}


def read_terms(version: FeeProgramVersion) -> FeeTerms:
    """The terms of a stored version."""
    return fee_terms.parse_terms(version.terms)


def _lock_version(pk: int) -> FeeProgramVersion:
    """Lock the program first: its versions are decided on one after the other."""
    found = FeeProgramVersion.objects.filter(pk=pk).first()
    if found is None:
        raise NotFoundError(f"There is no version {pk} of a fee program.")
    FeeProgram.objects.select_for_update(no_key=True).get(pk=found.program_id)
    return FeeProgramVersion.objects.select_related("program").get(pk=pk)


def _subject(version: FeeProgramVersion) -> str:
    return f"fee_program:{version.program.code}/{version.version}"
