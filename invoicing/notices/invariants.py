"""What must hold of notices; the number is that of outboxes in the project's list of invariants."""

from core.invariants import Invariant, rows_of

INVARIANTS = [
    Invariant(
        number=45,
        name="a notice that is on its way has a job",
        find_offenders=rows_of(
            """
            SELECT delivery.id AS delivery, delivery.channel FROM notices_delivery delivery
            WHERE delivery.status = 'pending' AND NOT EXISTS (
                SELECT FROM core_job job WHERE job.kind = 'notices.deliver' AND job.key = delivery.id::text
                   AND job.state IN ('queued', 'leased', 'dead'))
            ORDER BY delivery.id
            """
        ),
    ),
    Invariant(
        number=45,
        name="a delivered notice has the attempt that delivered it, and no other status has one",
        find_offenders=rows_of(
            """
            SELECT delivery.id AS delivery, delivery.status FROM notices_delivery delivery
            WHERE (delivery.status = 'delivered') <> EXISTS (
                SELECT FROM notices_attempt attempt WHERE attempt.delivery_id = delivery.id AND attempt.is_delivered)
            ORDER BY delivery.id
            """
        ),
    ),
]
