"""What must hold of those who were erased."""

from core.invariants import Invariant, rows_of

INVARIANTS = [
    Invariant(
        number=50,
        name="whoever was erased has no key, no words to be found by, and no open sign-in",
        find_offenders=rows_of(
            """
            SELECT request.id AS request, request.kind FROM erasure_erasurerequest request
            LEFT JOIN accounts_customer customer ON customer.id = request.customer_id
            LEFT JOIN payouts_payee payee ON payee.id = request.payee_id
            LEFT JOIN accounts_portaluser sign_in
                   ON sign_in.id = request.portal_user_id OR sign_in.customer_id = request.customer_id
            LEFT JOIN auth_user person ON person.id = sign_in.user_id
            LEFT JOIN core_personalkey key
                   ON key.id IN (customer.personal_key_id, payee.personal_key_id, sign_in.personal_key_id)
            WHERE request.status = 'erased'
              AND (key.destroyed_at IS NULL AND key.id IS NOT NULL OR cardinality(customer.name_marks) > 0
                   OR cardinality(payee.name_marks) > 0 OR person.is_active OR person.email <> '')
            ORDER BY request.id
            """
        ),
    ),
    Invariant(
        number=50,
        name="every destroyed key is named by a proof, and that one by the audit chain",
        find_offenders=rows_of(
            """
            SELECT key.id AS key, key.destroyed_at FROM core_personalkey key
            WHERE key.destroyed_at IS NOT NULL
              AND NOT EXISTS (
                  SELECT 1 FROM erasure_erasure proof JOIN core_auditentry entry ON entry.id = proof.audit_entry_id
                  WHERE proof.keys @> to_jsonb(key.id) AND entry.facts -> 'keys' = proof.keys
                    AND entry.action IN ('person.erased', 'person.documents_erased'))
            ORDER BY key.id
            """
        ),
    ),
    Invariant(
        number=50,
        name="what a replay set held was erased by an entry of the audit chain",
        find_offenders=rows_of(
            """
            SELECT version.id AS version FROM replay_replaysetversion version
            WHERE octet_length(version.content) = 0
              AND NOT EXISTS (SELECT 1 FROM core_auditentry entry WHERE entry.action = 'person.erased'
                                AND entry.facts -> 'replay_versions' @> to_jsonb(version.id))
            ORDER BY version.id
            """
        ),
    ),
    Invariant(
        number=38,
        name="whoever decided over an erasure did not ask for it",
        find_offenders=rows_of(
            "SELECT id AS request FROM erasure_erasurerequest WHERE decided_by_id = asked_by_id ORDER BY id"
        ),
    ),
    Invariant(
        number=50,
        name="what is kept of persons lies under their keys (manage.py personal_keys seal)",
        find_offenders=rows_of(
            """
            SELECT 'customer' AS kind, code FROM accounts_customer WHERE personal_key_id IS NULL AND legal_name <> ''
            UNION ALL
            SELECT 'payee', code FROM payouts_payee WHERE personal_key_id IS NULL AND legal_name <> ''
            """
        ),
    ),
]
