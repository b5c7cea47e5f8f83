"""What must hold of charge controls; the numbers are those of the project's list of invariants."""

from core.invariants import Invariant, rows_of

INVARIANTS = [
    Invariant(
        number=27,
        name="no charge-control firing has an invoice: no key leads from one to the other, and no figure names one",
        find_offenders=rows_of(
            """
            SELECT conrelid::regclass::text AS source, confrelid::regclass::text AS target
            FROM pg_constraint
            WHERE contype = 'f'
              AND (conrelid::regclass::text LIKE 'charge\\_controls\\_%' AND confrelid::regclass::text LIKE 'cycle\\_%'
                   OR conrelid::regclass::text LIKE 'cycle\\_%'
                   AND confrelid::regclass::text LIKE 'charge\\_controls\\_%')
            UNION ALL
            SELECT 'firing ' || id, 'an invoice among its figures'
            FROM charge_controls_controlfiring WHERE inputs ? 'invoice'
            """
        ),
    ),
    Invariant(
        number=27,
        name="a charge control fires once for each time that its line was crossed",
        find_offenders=rows_of(
            """
            SELECT state.id AS state, state.crossings, count(firing.id) AS firings
            FROM charge_controls_controlstate state
            LEFT JOIN charge_controls_controlfiring firing ON firing.state_id = state.id
            GROUP BY state.id
            HAVING count(firing.id) <> state.crossings OR max(firing.crossing) IS DISTINCT FROM state.crossings
            ORDER BY state.id
            """
        ),
    ),
    Invariant(
        number=27,
        name="what a charge control wanted was done: a hold or a review, and nothing by an interim bill",
        find_offenders=rows_of(
            """
            SELECT firing.id AS firing, firing.action
            FROM charge_controls_controlfiring firing
            LEFT JOIN charge_controls_creditreview review ON review.firing_id = firing.id
            LEFT JOIN charge_controls_accesschange change ON change.firing_id = firing.id
            WHERE (review.id IS NOT NULL) <> (firing.action = 'require_review')
               OR (change.id IS NOT NULL AND firing.action <> 'hold_usage')
            ORDER BY firing.id
            """
        ),
    ),
    Invariant(
        number=28,
        name="a charge-control firing names a policy version that was signed and had begun, and its exposure adds up",
        find_offenders=rows_of(
            """
            SELECT firing.id AS firing, policy.id AS policy
            FROM charge_controls_controlfiring firing JOIN policy_triggerpolicy policy ON policy.id = firing.policy_id
            WHERE policy.status <> 'signed' OR policy.effective_at > firing.fired_at
               OR policy.decided_at > firing.fired_at
               OR firing.exposure <> (firing.inputs ->> 'unbilled')::numeric + (firing.inputs ->> 'drafted')::numeric
                                     + (firing.inputs ->> 'unpaid')::numeric
            ORDER BY firing.id
            """
        ),
    ),
    Invariant(
        number=26,
        name="a customer's access is what its last change says, and its changes follow each other",
        find_offenders=rows_of(
            """
            SELECT coalesce(state.customer_id, change.customer_id) AS customer, change.revision
            FROM (
                SELECT *, lag(to_status, 1, 'allowed') OVER own AS before, lag(revision, 1, 0) OVER own AS earlier,
                       lead(id) OVER own AS later
                FROM charge_controls_accesschange
                WINDOW own AS (PARTITION BY customer_id ORDER BY revision)
            ) change
            FULL JOIN charge_controls_accessstate state ON state.customer_id = change.customer_id
            WHERE state.id IS NULL OR change.id IS NULL OR change.from_status <> change.before
               OR change.revision <> change.earlier + 1
               OR (change.later IS NULL AND (state.status, state.revision) <> (change.to_status, change.revision))
            ORDER BY 1, 2
            """
        ),
    ),
    Invariant(
        number=43,
        name="every change of access stands in the audit chain as it was made",
        find_offenders=rows_of(
            """
            SELECT change.id AS change, entry.reference
            FROM charge_controls_accesschange change JOIN core_auditentry entry ON entry.id = change.audit_entry_id
            JOIN accounts_customer customer ON customer.id = change.customer_id
            WHERE entry.action <> 'access.' || change.to_status OR entry.subject <> 'access:' || customer.code
               OR entry.actor_id IS DISTINCT FROM change.actor_id OR entry.facts ->> 'reason' <> change.reason
            ORDER BY change.id
            """
        ),
    ),
]
