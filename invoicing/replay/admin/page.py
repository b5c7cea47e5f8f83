"""What the pages of sets and runs show, in words that finance reads."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.urls import reverse

from core import money
from invoicing.replay import candidate, forgetting, queries, sets
from invoicing.replay import run as runs
from invoicing.replay.models import CANDIDATES, ReplayRun, ReplaySet

REFRESH_SECONDS = 3
RUNS_SHOWN = 20
VERDICTS = {
    "passed": "As expected",
    "failed": "Differs",
    "broken": "Could not be run",
    queries.NEVER: "Never run",
}
PAGES = {
    "price_version": "admin:pricing_priceversion_change",
    "fee_program_version": "admin:pricing_feeprogramversion_change",
    "contract_version": "admin:metering_eventcontractversion_change",
    "policy": "admin:policy_triggerpolicy_change",
}


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a set, in figures."""

    name: str
    agreements: int
    deliveries: int
    events: int
    documents: int
    issued: int


def set_context(found: ReplaySet) -> dict[str, Any]:
    """The set with its latest content, what it includes, and its runs."""
    [state] = queries.states_of([found])
    is_erased = forgetting.is_erased(state.version)
    nothing: dict[str, Any] = {"steps": [], "customers": []}
    content = nothing if is_erased else sets.content_of(found.versions.get(pk=state.version.pk))
    return {
        "set": found,
        "is_erased": is_erased,
        "state": state,
        "verdict": VERDICTS[state.verdict],
        "is_required": queries.is_required(found),
        "requirements": found.requirements.select_related("decided_by").order_by("-id"),
        "includes": state.version.shows,
        "missing": sets.missing_with(found),
        "steps": [
            Step(
                name=step["name"],
                agreements=sum(map(len, step["rows"].values())),
                deliveries=len(step["deliveries"]),
                events=sum(len(sent["events"]) for sent in step["deliveries"]),
                documents=len(step["expected"]),
                issued=len(step["issue"]),
            )
            for step in content["steps"]
        ],
        "customers": ", ".join(content["customers"]),
        "runs": ReplayRun.objects.filter(version__replay_set=found)
        .defer("report")
        .select_related("version__replay_set", "asked_by")[:RUNS_SHOWN],
    }


def run_context(run: ReplayRun) -> dict[str, Any]:
    """Counts, differences, other orders of arrival, and what another version would change."""
    report = run.report or {}
    effect = report.get("candidate")
    return {
        "run": run,
        "given_up": runs.given_up(run),
        "counts": [{**row, "differs": row["expected"] not in ("", row["found"])} for row in report.get("counts", [])],
        "differences": report.get("differences", []),
        "hidden": max(report.get("difference_count", 0) - len(report.get("differences", [])), 0),
        "tried": report.get("orders", {}).get("tried", 0),
        "unequal": report.get("orders", {}).get("unequal", {}).items(),
        "candidate": candidate_text(run),
        "candidate_url": _candidate_url(run),
        "effect_url": _effect_url(run),
        "effect": effect,
        "effect_rows": [_effect_row(row) for row in effect["customers"]] if effect else [],
        "seconds": None if run.duration_ms is None else f"{run.duration_ms / 1000:.1f}",
    }


def candidate_text(run: ReplayRun) -> str:
    if run.candidate_id is None:
        return ""
    found = candidate.PLACES[run.candidate_kind].model.objects.filter(pk=run.candidate_id).first()
    return f"{CANDIDATES[run.candidate_kind].lower()} {found or run.candidate_id}"


def _candidate_url(run: ReplayRun) -> str:
    return reverse(PAGES[run.candidate_kind], args=[run.candidate_id]) if run.candidate_id else ""


def _effect_url(run: ReplayRun) -> str:
    """What the price would have cost every customer over their last closed period, beyond this set."""
    if run.candidate_kind != "price_version":
        return ""
    return f"{reverse('admin:effects_effectrun_changelist')}?price_version__id__exact={run.candidate_id}"


def _effect_row(row: dict[str, str]) -> dict[str, str]:
    amounts = {name: money.amount_text(Decimal(row[name]), currency=row["currency"]) for name in ("before", "after")}
    change = Decimal(row["change"])
    told = money.amount_text(change, currency=row["currency"])
    return {**row, **amounts, "change": f"+{told}" if change > 0 else told}
