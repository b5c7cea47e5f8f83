"""What must hold of runs and moves; the numbers are those of the project's list of invariants."""

from core.invariants import Invariant, rows_of

INVARIANTS = [
    Invariant(
        number=12,
        name="a finished run has an effect of every subscription that it reached, in the money of its plan",
        find_offenders=rows_of(
            """
            SELECT run.id AS run, run.total, count(effect.id) AS effects,
                   count(effect.id) FILTER (WHERE effect.currency <> plan.currency) AS in_other_money
            FROM effects_effectrun run
            LEFT JOIN pricing_priceversion price ON price.id = run.price_version_id
            LEFT JOIN pricing_charge charge ON charge.id = price.charge_id
            LEFT JOIN pricing_planversion terms ON terms.id = run.plan_version_id
            LEFT JOIN effects_planmove move ON move.id = run.move_id
            JOIN pricing_plan plan ON plan.id = coalesce(charge.plan_id, terms.plan_id, move.source_id)
            LEFT JOIN effects_effect effect ON effect.run_id = run.id
            WHERE run.finished_at IS NOT NULL
            GROUP BY run.id
            HAVING count(effect.id) <> run.total
                OR count(effect.id) FILTER (WHERE effect.currency <> plan.currency) > 0
            ORDER BY run.id
            """
        ),
    ),
    Invariant(
        number=13,
        name="an effect is of a subscription that its plan had in the period, and of its customer",
        find_offenders=rows_of(
            """
            SELECT effect.id AS effect, effect.subscription_id AS subscription
            FROM effects_effect effect
            JOIN effects_effectrun run ON run.id = effect.run_id
            LEFT JOIN pricing_priceversion price ON price.id = run.price_version_id
            LEFT JOIN pricing_charge charge ON charge.id = price.charge_id
            LEFT JOIN pricing_planversion terms ON terms.id = run.plan_version_id
            LEFT JOIN effects_planmove move ON move.id = run.move_id
            JOIN pricing_subscription subscription ON subscription.id = effect.subscription_id
            WHERE subscription.customer_id <> effect.customer_id OR effect.period_end > run.as_of OR NOT EXISTS (
                SELECT FROM pricing_subscriptionphase phase
                WHERE phase.subscription_id = effect.subscription_id
                  AND phase.plan_id = coalesce(charge.plan_id, terms.plan_id, move.source_id))
            ORDER BY effect.id
            """
        ),
    ),
    Invariant(
        number=13,
        name="a subscription that was moved is on the other plan from then on, or keeps no older prices from then",
        find_offenders=rows_of(
            """
            SELECT item.id AS item, item.subscription_id AS subscription, move.effective_at
            FROM effects_moveitem item
            JOIN effects_planmove move ON move.id = item.move_id
            WHERE item.state = 'moved' AND CASE WHEN move.source_id <> move.target_id THEN NOT EXISTS (
                SELECT FROM pricing_subscriptionphase phase
                WHERE phase.subscription_id = item.subscription_id AND phase.plan_id = move.target_id
                  AND phase.starts_at = move.effective_at)
            ELSE EXISTS (
                SELECT FROM pricing_keptprices kept
                WHERE kept.subscription_id = item.subscription_id AND kept.plan_id = move.source_id
                  AND kept.created_at <= move.decided_at
                  AND kept.starts_at < move.effective_at AND kept.ends_at > move.effective_at) END
            ORDER BY item.id
            """
        ),
    ),
    Invariant(
        number=13,
        name="a finished move has decided on everybody",
        find_offenders=rows_of(
            """
            SELECT move.id AS move, count(*) AS waiting
            FROM effects_planmove move JOIN effects_moveitem item ON item.move_id = move.id
            WHERE move.finished_at IS NOT NULL AND item.state = 'waiting'
            GROUP BY move.id ORDER BY move.id
            """
        ),
    ),
    Invariant(
        number=38,
        name="a move of subscriptions is approved by another person than its author, and nobody moves before that",
        find_offenders=rows_of(
            """
            SELECT move.id AS move, move.status
            FROM effects_planmove move
            WHERE (move.status = 'approved' AND (move.decided_by_id IS NULL OR move.decided_by_id = move.created_by_id))
               OR (move.status <> 'approved' AND EXISTS (
                    SELECT FROM effects_moveitem item WHERE item.move_id = move.id AND item.state <> 'waiting'))
            ORDER BY move.id
            """
        ),
    ),
]
