"""What must hold of replay sets and their runs; the numbers are those of the project's list of invariants."""

from collections.abc import Iterator

from core.invariants import Invariant, rows_of
from invoicing.replay import forgetting
from invoicing.replay.models import ReplaySetVersion
from invoicing.replay.rules import content as contents


def _find_altered() -> list[str]:
    """Versions whose bytes are not those that were hashed."""
    return list(_altered())


def _altered() -> Iterator[str]:
    for version in ReplaySetVersion.objects.select_related("replay_set").order_by("pk").iterator(chunk_size=1):
        if forgetting.is_erased(version):
            continue
        if contents.hash_of(contents.canonical_text(contents.unpack(version.content))) != version.content_hash:
            yield f"version {version.pk}, set {version.replay_set.name}"


INVARIANTS = [
    Invariant(number=15, name="a replay set holds what was hashed", find_offenders=_find_altered),
    Invariant(
        number=15,
        name="the versions of a replay set are numbered from 1 without a gap, and it has one at least",
        find_offenders=rows_of(
            """
            SELECT one.id AS set, one.name, count(version.id) AS versions, max(version.version) AS last
            FROM replay_replayset one LEFT JOIN replay_replaysetversion version ON version.replay_set_id = one.id
            GROUP BY one.id HAVING count(version.id) = 0 OR max(version.version) <> count(version.id) ORDER BY one.id
            """
        ),
    ),
    Invariant(
        number=38,
        name="who required a replay set, or no longer, is in the audit chain as they said it",
        find_offenders=rows_of(
            """
            SELECT requirement.id AS requirement, requirement.replay_set_id AS set
            FROM replay_replayrequirement requirement
            JOIN core_auditentry entry ON entry.id = requirement.audit_entry_id
            WHERE entry.subject <> 'replay_set:' || requirement.replay_set_id
               OR entry.actor_id IS DISTINCT FROM requirement.decided_by_id
               OR entry.facts ->> 'statement' IS DISTINCT FROM requirement.statement
               OR entry.action
                  <> CASE WHEN requirement.is_required THEN 'replay.required' ELSE 'replay.not_required' END
            ORDER BY requirement.id
            """
        ),
    ),
    Invariant(
        number=15,
        name="a replay run that passed was played in every order that was asked, each with the same result",
        find_offenders=rows_of(
            """
            SELECT run.id AS run, play.same, run.orders FROM replay_replayrun run
            JOIN LATERAL (
                SELECT count(*) AS all, count(*) FILTER (
                    WHERE one.what = 'order' AND one.result_hash = run.result_hash) AS same
                FROM replay_replayplay one WHERE one.run_id = run.id
            ) AS play ON play.all > 0
            WHERE run.verdict = 'passed' AND play.same <> run.orders
            ORDER BY run.id
            """
        ),
    ),
    Invariant(
        number=43,
        name="what a replay run found is in the audit chain as it stands",
        find_offenders=rows_of(
            """
            SELECT run.id AS run, run.verdict
            FROM replay_replayrun run
            WHERE run.finished_at IS NOT NULL AND NOT EXISTS (
                SELECT FROM core_auditentry entry
                WHERE entry.action = 'replay.run' AND entry.subject = 'replay_run:' || run.id
                  AND entry.facts ->> 'verdict' = run.verdict AND entry.facts ->> 'result_hash' = run.result_hash)
            ORDER BY run.id
            """
        ),
    ),
]
