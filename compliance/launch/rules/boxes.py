"""The boxes of the launch checklist: what each claims."""

from enum import StrEnum


class Box(StrEnum):
    """One claim that is proved by looking, in the order in which they are usually closed."""

    POLICY_SIGNED = "policy_signed"
    CONTRACTS_PROVED = "contracts_proved"
    REPLAY_STABLE = "replay_stable"
    SAMPLES_ACCEPTED = "samples_accepted"
    LAST_CLOSE_TRACED = "last_close_traced"
    BOOKS_TIE = "books_tie"
    GATES_RECHECKED = "gates_rechecked"
    INVARIANTS_CLEAN = "invariants_clean"
    BACKUP_RESTORED = "backup_restored"


TITLES = {
    Box.POLICY_SIGNED: "Policy signed",
    Box.CONTRACTS_PROVED: "Contracts active, with examples",
    Box.REPLAY_STABLE: "Identical replay stable",
    Box.SAMPLES_ACCEPTED: "Sample accounts walked and accepted",
    Box.LAST_CLOSE_TRACED: "Every line of the last close traced",
    Box.BOOKS_TIE: "Totals tie to the ledger and the export",
    Box.GATES_RECHECKED: "Gates re-checked at release",
    Box.INVARIANTS_CLEAN: "Invariants clean",
    Box.BACKUP_RESTORED: "Backup restored",
}
OF_A_PROGRAM = frozenset(
    {Box.POLICY_SIGNED, Box.REPLAY_STABLE, Box.SAMPLES_ACCEPTED}
)  # asked for each program; the others once for everything
