"""What the page of a fee program shows: its versions side by side, a fee tried on it, and what it will have cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from core import money
from core.errors import DomainError
from invoicing.pricing import fee_programs
from invoicing.pricing.models import FeeProgram, FeeProgramVersion, ProposalStatus, Subscription
from invoicing.pricing.rules import fee_words
from invoicing.pricing.rules.fee_words import Row
from invoicing.rating import project
from invoicing.rating.admin.forms import TryFeeForm
from invoicing.rating.project import FeeProjection
from invoicing.rating.rules import fee_trial

PROJECTED_MAX = 200  # subscriptions on the page; the API gives those of one customer


@dataclass(frozen=True, slots=True)
class Shown:
    """A projection with who it is of, its amounts as they read."""

    customer: str
    charge: str
    until: datetime
    so_far: str
    at_end: str
    accounts: str
    currency: str


def page_context(program: FeeProgram, *, asked: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """Versions newest first; the tester answers where something was asked."""
    versions = sorted(
        program.versions.select_related("created_by", "decided_by"),
        key=lambda each: (each.effective_at, each.version),
        reverse=True,
    )
    counting = [each for each in versions if each.status != ProposalStatus.WITHDRAWN]
    return {
        "fee_versions": counting,
        "fee_rows": _side_by_side(counting),
        "fee_to_check": _to_check(counting, at=at),
        **_trial(counting, asked=asked),
        **_projections(program, at=at),
    }


def _to_check(versions: Sequence[FeeProgramVersion], *, at: datetime) -> FeeProgramVersion | None:
    """The version in force, or the newest where none is, if its figures are not the provider's own word."""
    begun = [each for each in versions if each.counts and each.effective_at <= at]
    shown = (begun or list(versions))[:1]
    return next((each for each in shown if each.source_kind == FeeProgramVersion.SourceKind.SECONDARY), None)


def figures_text(version: FeeProgramVersion) -> SafeString:
    """One version in words, a line for each figure."""
    terms = fee_programs.read_terms(version)
    return format_html_join("", "{}: {}<br>", fee_words.describe(terms))


def _side_by_side(versions: Sequence[FeeProgramVersion]) -> list[Row]:
    return fee_words.side_by_side([fee_programs.read_terms(version) for version in versions])


def _trial(versions: Sequence[FeeProgramVersion], *, asked: Mapping[str, Any]) -> dict[str, Any]:
    if not versions:
        return {}
    form = TryFeeForm(asked if "amount" in asked else None, versions=versions)
    if not form.is_bound or not form.is_valid():
        return {"fee_form": form}
    given = form.cleaned_data
    version = next(each for each in versions if each.pk == int(given["version"]))
    try:
        trial = fee_trial.try_fee(
            terms=fee_programs.read_terms(version),
            currency=given["currency"],
            country=given["country"],
            amount=given["amount"],
            flags=frozenset(given["flags"]),
            is_net=given["is_net"],
        )
    except DomainError as error:
        return {"fee_form": form, "fee_refusal": error.message}
    steps = [step.as_json() for step in trial.steps]
    return {"fee_form": form, "fee_trial": trial, "fee_steps": steps, "fee_currency": given["currency"]}


def _projections(program: FeeProgram, *, at: datetime) -> dict[str, Any]:
    running = Subscription.objects.filter(
        phases__plan__charges__price_versions__model="fee_program",
        phases__plan__charges__price_versions__params__program=program.code,
        starts_at__lt=at,
    )
    chosen = dict(running.order_by("pk").values_list("pk", "customer__code").distinct()[:PROJECTED_MAX])
    found, failures = project.project_each(list(chosen), at=at)
    own = [one for one in found if one.version.program_id == program.pk]
    return {
        "fee_projections": [_shown(one, customer=chosen[one.subscription_id]) for one in own],
        "fee_flaws": [(chosen[pk], reason) for pk, reason in sorted(failures.items())],
    }


def _shown(one: FeeProjection, *, customer: str) -> Shown:
    projected = one.projected
    accounts = f"{projected.active_accounts} active, {projected.expected_accounts} expected"
    return Shown(
        customer=customer,
        charge=one.charge.name,
        until=one.period.end,
        so_far=money.amount_text(projected.so_far, currency=one.currency),
        at_end=money.amount_text(projected.at_end, currency=one.currency),
        accounts=accounts if fee_programs.read_terms(one.version).counts_accounts else "not counted",
        currency=one.currency,
    )
