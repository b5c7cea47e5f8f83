"""What must hold of alerts; the numbers are those of the project's list of invariants."""

from core.invariants import Invariant, rows_of

INVARIANTS = [
    Invariant(
        number=27,
        name="no alert firing has an invoice: no key leads from one to the other, and no figure names one",
        find_offenders=rows_of(
            """
            SELECT conrelid::regclass::text AS source, confrelid::regclass::text AS target
            FROM pg_constraint
            WHERE contype = 'f'
              AND (conrelid::regclass::text LIKE 'alerts\\_%' AND confrelid::regclass::text LIKE 'cycle\\_%'
                   OR conrelid::regclass::text LIKE 'cycle\\_%' AND confrelid::regclass::text LIKE 'alerts\\_%')
            UNION ALL
            SELECT 'firing ' || id, 'an invoice among its figures' FROM alerts_alertfiring WHERE inputs ? 'invoice'
            """
        ),
    ),
    Invariant(
        number=27,
        name="an alert fires once for each time that its line was crossed",
        find_offenders=rows_of(
            """
            SELECT state.id AS state, state.crossings, count(firing.id) AS firings
            FROM alerts_alertstate state LEFT JOIN alerts_alertfiring firing ON firing.state_id = state.id
            GROUP BY state.id
            HAVING count(firing.id) <> state.crossings OR max(firing.crossing) IS DISTINCT FROM state.crossings
            ORDER BY state.id
            """
        ),
    ),
    Invariant(
        number=28,
        name="an alert firing names a policy version that was signed, had begun, and has that alert",
        find_offenders=rows_of(
            """
            SELECT firing.id AS firing, policy.id AS policy
            FROM alerts_alertfiring firing JOIN policy_triggerpolicy policy ON policy.id = firing.policy_id
            WHERE policy.status <> 'signed' OR policy.effective_at > firing.fired_at
               OR policy.decided_at > firing.fired_at OR firing.rule ->> 'kind' <> firing.kind
            ORDER BY firing.id
            """
        ),
    ),
    Invariant(
        number=45,
        name="every alert firing was told",
        find_offenders=rows_of(
            """
            SELECT firing.id AS firing FROM alerts_alertfiring firing
            WHERE NOT EXISTS (SELECT FROM notices_notice notice WHERE notice.key = 'alert:' || firing.id)
            ORDER BY firing.id
            """
        ),
    ),
]
