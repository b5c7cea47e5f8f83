"""A launch check over whatever a test has made, and its boxes by name."""

from datetime import datetime, timedelta
from typing import Any

from compliance.launch import check, exceptions, samples, standing
from compliance.launch.models import (
    BoxResult,
    GoLiveDecision,
    LaunchCheck,
    LaunchException,
    RestoreDrill,
    SampleWalk,
)
from compliance.launch.standing import BoxState
from core import audit, canonical
from invoicing.cycle.models import Invoice
from invoicing.replay import program_code
from invoicing.replay.models import ReplayRequirement, ReplayRun, ReplaySet, ReplaySetVersion
from invoicing.replay.rules import content
from tests.builders import billing, replayed
from tests.builders.billing import CLOSING

DECISION_OFFENCES = {
    "a program went live with every box closed, or excepted by two people until later": (
        "UPDATE launch_launchexception SET boxes = '[\"gates_rechecked\"]'"
    ),
    "the audit chain tells every decision about programs and every signature under an exception": (
        "UPDATE launch_golivedecision SET program = 'partners'"
    ),
    "no invoice was issued before its program was live where the policy of that moment asks for it": (
        "UPDATE launch_golivedecision SET decided_at = decided_at + interval '1 hour'"
    ),
}
CHECKED = CLOSING + timedelta(days=1)  # 3 November 2026, 08:00


def run_check(*, at: datetime = CHECKED) -> LaunchCheck:
    return check.go_on(run_id=check.begin_run(actor=None, at=at).pk, at=at)


def results(run: LaunchCheck) -> dict[str, BoxResult]:
    """By box; of boxes that several programs have, the one of the usual program."""
    return {one.box: one for one in run.results.all() if one.program in ("", "standard")}


def states(*, at: datetime = CHECKED) -> dict[str, BoxState]:
    return {str(one.box): one for one in standing.of_program("standard", at=at)}


def facts(result: BoxResult) -> dict[str, Any]:
    return dict(result.proof["facts"])


def rows(result: BoxResult) -> Any:
    return result.proof["table"]["rows"]


def keep_drill(*, at: datetime = CLOSING, flaws: tuple[str, ...] = ()) -> RestoreDrill:
    """As `restore_drill` keeps it."""
    facts = {"file": "backup.dump", "sha256": "ab" * 32, "flaws": list(flaws), "made_by": "root"}
    entry = audit.append_entry(action="launch.restore_drill", subject="backup:abab", actor=None, facts=facts, at=at)
    return RestoreDrill.objects.create(
        made_by="root",
        began_at=at - timedelta(seconds=5),
        ended_at=at,
        is_fresh=True,
        file_name="backup.dump",
        size=10,
        sha256="ab" * 32,
        figures={"cycle_invoice": [1, 1]},
        invariants=[{"number": 43, "name": "the audit chain verifies", "count": 0, "offenders": []}],
        flaws=list(flaws),
        audit_entry=entry,
    )


def keep_sample(invoice: Invoice, *, at: datetime = CHECKED) -> SampleWalk:
    """A row as `walk_sample` keeps it, over a document that shows nothing in particular."""
    proof = samples.prove(invoice, kind="late_event").as_json()
    return SampleWalk.objects.create(
        program="standard",
        kind="late_event",
        invoice=invoice,
        proof=proof,
        proof_hash=canonical.content_hash(proof),
        made_by=billing.person("pia", "product"),
        made_at=at,
    )


def accept(sample: SampleWalk, *, at: datetime = CHECKED) -> SampleWalk:
    """Product, finance and ops accept it."""
    for role in ("product", "finance", "ops"):
        samples.accept_sample(
            sample_id=sample.pk,
            proof_hash=sample.proof_hash,
            role=role,
            comment="as agreed",
            actor=billing.person(f"signs-for-{role}", role),
            at=at,
        )
    return sample


def require_replay(*, at: datetime = CHECKED) -> ReplaySet:
    """A required set with one content; the rows as the replay room keeps them."""
    decider, text = billing.person("pia", "product"), content.canonical_text({"steps": []})
    made = ReplaySet.objects.create(name="spring", program="standard", created_by=decider, created_at=at)
    ReplaySetVersion.objects.create(
        replay_set=made,
        version=1,
        origin="upload",
        content=content.pack(text),
        content_hash=content.hash_of(text),
        includes={},
        holds={},
        event_count=7,
        document_count=1,
        created_at=at,
    )
    entry = audit.append_entry(
        action="replay.required",
        subject=f"replay_set:{made.pk}",
        actor=decider,
        facts={"statement": ""},
        at=at,
    )
    ReplayRequirement.objects.create(
        replay_set=made, is_required=True, decided_by=decider, decided_at=at, audit_entry=entry
    )
    return made


def keep_run(
    of: ReplaySet, *, orders: int = 20, verdict: str = "passed", at: datetime = CHECKED, code: str = ""
) -> None:
    """A run that ended so, with the present program unless another is named."""
    state = program_code.read_state()
    run = ReplayRun.objects.create(version=of.versions.get(), orders=orders, asked_at=at)
    facts = {"verdict": verdict, "result_hash": "cd" * 32}
    audit.append_entry(action="replay.run", subject=f"replay_run:{run.pk}", actor=None, facts=facts, at=at)
    ReplayRun.objects.filter(pk=run.pk).update(
        finished_at=at,
        code_version=code or state.code_version,
        migration_state=state.migration_state,
        **facts,
    )


def close_every_box(*, at: datetime) -> billing.Company:
    """Two months billed, both samples accepted, a required replay that passed, a sound drill; then a check."""
    company = replayed.open_company()
    november = replayed.bill_two_months(company)[1]
    for kind in SampleWalk.Kind:
        walked = samples.walk_sample(
            program="standard", kind=kind, invoice=str(november.pk), actor=billing.person("olaf", "engineering"), at=at
        )
        accept(walked, at=at)
    keep_run(require_replay(at=at), at=at)
    keep_drill(at=at)
    run_check(at=at)
    return company


def keep_decision(*, at: datetime = CHECKED) -> GoLiveDecision:
    """A program that was stopped, as `decide` keeps it."""
    decider = billing.person("pia", "product")
    facts = {"program": "pilot", "reason": "over", "boxes": []}
    entry = audit.append_entry(action="launch.stopped", subject="program:pilot", actor=decider, facts=facts, at=at)
    return GoLiveDecision.objects.create(
        program="pilot",
        outcome="stopped",
        reason="over",
        boxes=[],
        decided_by=decider,
        decided_at=at,
        audit_entry=entry,
    )


def sign(asked: LaunchException, *, at: datetime = CHECKED) -> LaunchException:
    """Finance and ops sign it."""
    for role in ("finance", "ops"):
        exceptions.sign_exception(
            exception_id=asked.pk,
            content_hash=asked.content_hash,
            role=role,
            actor=billing.person(f"signs-for-{role}", role),
            at=at,
        )
    return asked
