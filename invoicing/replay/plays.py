"""The plays of one run: each is kept as soon as it came out, so that a run goes on where it was stopped."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import F

from invoicing.replay import engine
from invoicing.replay.engine import Played, ReplayBrokenError
from invoicing.replay.models import ReplayPlay, ReplayRun
from invoicing.replay.rules import content as contents
from invoicing.replay.rules.content import Content

What = ReplayPlay.What


@dataclass(frozen=True, slots=True, kw_only=True)
class CameOut:
    """As it was delivered, every shuffled order that gave something else, and with the other version, if any."""

    first: Played
    differing: dict[int, Played]
    changed: Played | None


def play_on(run: ReplayRun, content: Content, *, other: Content | None, is_over: Callable[[], bool]) -> bool:
    """Play what is left, once at the least, until nothing is or the time is over; whether nothing is left."""
    known = set(run.plays.values_list("what", "seed"))
    left = [one for one in _wanted(run) if one not in known]
    if not left:
        return True
    steps = len(content["steps"])
    total = engine.steps_of([content] if other is None else [content, other], orders=run.orders)
    ReplayRun.objects.filter(pk=run.pk).update(done=min(len(known) * steps, total), total=total)

    def told() -> None:
        ReplayRun.objects.filter(pk=run.pk, done__lt=F("total")).update(done=F("done") + 1)

    with engine.player() as player:
        for number, (what, seed) in enumerate(left, start=1):
            played = content if what != What.CANDIDATE or other is None else other
            _keep(run, what, seed, player.play(played, seed=seed or None, told=told))
            if number < len(left) and is_over():
                return False
    return True


def came_out(run: ReplayRun) -> CameOut:
    """All that was kept; ReplayBrokenError where it was not one program that played it."""
    kept = list(run.plays.order_by("seed"))
    if len({one.code_version for one in kept}) > 1:
        raise ReplayBrokenError("The program was changed while it ran; run the set again.")
    return CameOut(
        first=_played(next(one for one in kept if one.what == What.FIRST)),
        differing={one.seed: _played(one) for one in kept if one.what == What.ORDER and one.content is not None},
        changed=next((_played(one) for one in kept if one.what == What.CANDIDATE), None),
    )


def _wanted(run: ReplayRun) -> list[tuple[str, int]]:
    orders = [(str(What.ORDER), seed) for seed in range(1, run.orders + 1)]
    last = [(str(What.CANDIDATE), 0)] if run.candidate_id is not None else []
    return [(str(What.FIRST), 0), *orders, *last]


def _keep(run: ReplayRun, what: str, seed: int, played: Played) -> None:
    """An order that gave the very same needs no more than its hash; whoever kept it first has the last word."""
    is_same = what == What.ORDER and run.plays.filter(what=What.FIRST, result_hash=played.result_hash).exists()
    packed = None if is_same else contents.pack(contents.canonical_text(played.result))
    ReplayPlay.objects.get_or_create(
        run=run,
        what=what,
        seed=seed,
        defaults={"result_hash": played.result_hash, "code_version": played.code_version, "content": packed},
    )


def _played(kept: ReplayPlay) -> Played:
    assert kept.content is not None  # noqa: S101  only an equal order has none
    return Played(result=contents.unpack(kept.content), result_hash=kept.result_hash, code_version=kept.code_version)
