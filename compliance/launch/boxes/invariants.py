"""Invariants clean: every one of every room was searched for what contradicts it, each with its own proof."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.urls import reverse

from compliance.launch.boxes.found import Found
from compliance.launch.models import InvariantSearch
from compliance.launch.rules.boxes import Box
from compliance.launch.rules.proof import Link, Proof

Outcome = InvariantSearch.Outcome
REPAIR = "Run check_invariants, repair what it names, and find out how it came about."
AGAIN = "Run manage.py launch_check at the command line: it searches every invariant to the end, however long it takes."


def look(searches: Sequence[InvariantSearch], *, at: datetime) -> Iterator[Found]:
    """One answer over all of them, from the searches that the check has made before it looks here."""
    broken = [one for one in searches if one.outcome == Outcome.BROKEN]
    interrupted = [one for one in searches if one.outcome not in (Outcome.CLEAN, Outcome.BROKEN)]
    yield Found(
        box=Box.INVARIANTS_CLEAN,
        is_closed=bool(searches) and not broken and not interrupted,
        said=_said(searches, broken=broken, interrupted=interrupted),
        remedy=" ".join([REPAIR] * bool(broken) + [AGAIN] * (bool(interrupted) or not searches)),
        proof=Proof(
            facts=[
                ("Invariants searched", str(len(searches) - len(interrupted))),
                ("Broken", str(len(broken))),
                ("Interrupted", str(len(interrupted))),
            ],
            head=("Number", "Invariant", "Offenders", "Searched in", "SHA-256 of what was found"),
            rows=[_row(one) for one in ([*broken, *interrupted] or searches)],
            links=[Link(text="Audit chain", path=reverse("admin:core_auditentry_changelist"))],
        ),
        proved_at=at,
    )


def _said(
    searches: Sequence[InvariantSearch], *, broken: Sequence[InvariantSearch], interrupted: Sequence[InvariantSearch]
) -> str:
    count, said = len(searches), []
    if broken:
        said.append(f"{len(broken)} of {count} invariants do not hold; the first: {broken[0].name}.")
    if interrupted:
        first = interrupted[0]
        said.append(f"{len(interrupted)} of {count} were not searched to the end; the first: {first.name}. {first.why}")
    return " ".join(said) or (f"All {count} invariants hold." if count else "No invariant was searched.")


def _row(search: InvariantSearch) -> tuple[str, str, str, str, str]:
    shown = "; ".join(search.offenders) or ("none" if search.outcome == Outcome.CLEAN else "")
    seconds = "" if search.duration_ms is None else f"{search.duration_ms / 1000:.1f} s"
    return (str(search.number), search.name, shown or search.why, seconds, search.proof_hash)
