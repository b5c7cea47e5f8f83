"""A policy names customers, plans, meters and fee programs by their codes; a code of nobody's would decide nothing."""

from collections.abc import Iterable, Iterator

from accounts.models import Customer
from invoicing.policy.rules import terms as policy_terms
from invoicing.policy.rules.alerts import ProgramCost, UsageNearLimit
from invoicing.policy.rules.terms import Terms
from invoicing.pricing.models import FeeProgram, Plan
from invoicing.pricing.rules.fields import Problem
from metering.models import Meter

Named = tuple[str, str]  # where in the terms, and the code that stands there


def require_known(terms: Terms, *, program: str) -> None:
    """TermsError with every code that names nothing; customers have to belong to the program."""
    eligible = terms.off_cycle.eligible
    listed = "/terms/off_cycle/eligible"
    customers = Customer.objects.filter(program=program).values_list("code", flat=True)
    meters = [*_listed(f"{listed}/meters", eligible.meters), *_alerted(terms)]
    problems = [
        *_unknown(
            _listed(f"{listed}/customers", eligible.customers),
            known=customers,
            what=f"customer of the program {program}",
        ),
        *_unknown(
            _listed(f"{listed}/plans", eligible.plans), known=Plan.objects.values_list("code", flat=True), what="plan"
        ),
        *_unknown(meters, known=Meter.objects.values_list("code", flat=True), what="meter"),
        *_unknown(_costs(terms), known=FeeProgram.objects.values_list("code", flat=True), what="fee program"),
    ]
    if problems:
        raise policy_terms.TermsError(problems)


def _listed(pointer: str, codes: Iterable[str]) -> Iterator[Named]:
    yield from ((f"{pointer}/{index}", code) for index, code in enumerate(codes))


def _alerted(terms: Terms) -> Iterator[Named]:
    for index, alert in enumerate(terms.alerts):
        if isinstance(alert, UsageNearLimit):
            yield f"/terms/alerts/{index}/meter", alert.meter


def _costs(terms: Terms) -> Iterator[Named]:
    for index, alert in enumerate(terms.alerts):
        if isinstance(alert, ProgramCost):
            yield f"/terms/alerts/{index}/fee_program", alert.fee_program


def _unknown(named: Iterable[Named], *, known: Iterable[str], what: str) -> Iterator[Problem]:
    asked = list(named)
    there = set(known) if asked else set()
    for pointer, code in asked:
        if code not in there:
            yield Problem(pointer, "unknown", f"There is no {what} with the code {code[:60]}.")
