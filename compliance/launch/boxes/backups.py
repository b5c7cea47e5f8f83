"""Backup restored: the latest drill that restored one into a scratch database, and what it found there."""

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse

from compliance.launch.boxes.found import Found
from compliance.launch.models import RestoreDrill
from compliance.launch.rules.boxes import Box
from compliance.launch.rules.proof import Link, Proof

HOW = "Run manage.py restore_drill where the backups lie: it restores one beside the live database and looks at it."


def look(*, at: datetime) -> Iterator[Found]:
    """The age of the proof is that of the drill, not of the look at it."""
    drill = RestoreDrill.objects.select_related("audit_entry").filter(ended_at__lte=at).first()
    if drill is None:
        yield Found(
            box=Box.BACKUP_RESTORED,
            is_closed=False,
            said="No backup was ever restored to see whether it can be.",
            remedy=HOW,
            proof=Proof(links=[Link(text="Restore drills", path=reverse("admin:launch_restoredrill_changelist"))]),
            proved_at=at,
        )
        return
    said = f"{drill.file_name} was restored on {drill.ended_at:%Y-%m-%d %H:%M} UTC and is sound."
    if drill.flaws:
        said = f"The restore of {drill.file_name} is not sound: {drill.flaws[0]}"
    yield Found(
        box=Box.BACKUP_RESTORED,
        is_closed=drill.is_sound,
        said=said,
        remedy="" if drill.is_sound else f"Mend the backup. {HOW}",
        proof=Proof(
            facts=facts_of(drill),
            head=("Table", "Rows restored", "Rows live"),
            rows=figures_of(drill),
            links=_links(drill),
        ),
        proved_at=drill.ended_at,
    )


def facts_of(drill: RestoreDrill) -> list[tuple[str, str]]:
    """What a drill looked at, as named figures."""
    broken = [one for one in drill.invariants if one["count"]]
    return [
        ("Backup", f"{drill.file_name}, {drill.size:,} bytes, {'taken for the drill' if drill.is_fresh else 'given'}"),
        ("SHA-256", drill.sha256),
        ("Took", f"{(drill.ended_at - drill.began_at).total_seconds():.0f} s"),
        ("Made by", drill.made_by),
        ("Invariants in the restored database", f"{len(drill.invariants)} searched, {len(broken)} broken"),
        ("Audit reference", drill.audit_entry.reference),
    ]


def figures_of(drill: RestoreDrill) -> list[tuple[str, str, str]]:
    return [(table, f"{restored:,}", f"{live:,}") for table, (restored, live) in sorted(drill.figures.items())]


def _links(drill: RestoreDrill) -> list[Link]:
    return [Link(text=str(drill), path=reverse("admin:launch_restoredrill_change", args=[drill.pk]))]
