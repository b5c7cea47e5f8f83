"""What must hold of policies; the numbers are those of the project's list of invariants."""

from collections.abc import Iterator

from core.invariants import Invariant, rows_of
from invoicing.policy.models import TriggerPolicy
from invoicing.policy.rules import terms as policy_terms


def _find_contents_that_changed() -> Iterator[str]:
    """Hash every version again, and read its terms."""
    for policy in TriggerPolicy.objects.order_by("pk"):
        again = policy_terms.hash_of(
            program=policy.program, version=policy.version, effective_at=policy.effective_at, terms=policy.terms
        )
        if again != policy.content_hash:
            yield f"policy {policy.pk}: {policy}"


INVARIANTS = [
    Invariant(
        number=38,
        name="whoever proposed a policy did not sign it",
        find_offenders=rows_of(
            """
            SELECT policy.id AS policy, sign_off.person_id AS person
            FROM policy_triggerpolicy policy JOIN policy_signoff sign_off ON sign_off.policy_id = policy.id
            WHERE sign_off.person_id = policy.proposed_by_id ORDER BY sign_off.id
            """
        ),
    ),
    Invariant(
        number=39,
        name="a signed policy has three signatures by three people over its content",
        find_offenders=rows_of(
            """
            SELECT policy.id AS policy, count(DISTINCT sign_off.role) AS roles,
                   count(DISTINCT sign_off.person_id) AS people
            FROM policy_triggerpolicy policy LEFT JOIN policy_signoff sign_off
              ON sign_off.policy_id = policy.id AND sign_off.voided_at IS NULL
             AND sign_off.content_hash = policy.content_hash AND sign_off.signed_at <= policy.decided_at
            WHERE policy.status = 'signed'
            GROUP BY policy.id
            HAVING count(DISTINCT sign_off.role) <> 3 OR count(DISTINCT sign_off.person_id) <> 3
            ORDER BY policy.id
            """
        ),
    ),
    Invariant(
        number=39,
        name="a policy says what was signed",
        find_offenders=lambda: list(_find_contents_that_changed()),
    ),
    Invariant(
        number=39,
        name="every signature stands in the audit chain as it was given",
        find_offenders=rows_of(
            """
            SELECT sign_off.id AS sign_off, entry.reference
            FROM policy_signoff sign_off JOIN core_auditentry entry ON entry.id = sign_off.audit_entry_id
            WHERE entry.subject <> 'policy:' || sign_off.policy_id OR entry.actor_id IS DISTINCT FROM sign_off.person_id
               OR entry.facts ->> 'role' IS DISTINCT FROM sign_off.role
               OR entry.facts ->> 'content_hash' IS DISTINCT FROM sign_off.content_hash
            ORDER BY sign_off.id
            """
        ),
    ),
]
