"""Erase what replay sets hold of somebody: whole versions of content that name them, or that are older than a mark.

A set that somebody wrote may hold anything: names in events, in agreements, in what is expected. One taken from history
names nobody, but holds events as they lay there, with what a contract marked as personal only afterwards.
"""

from collections.abc import Collection, Iterator

import pgtrigger

from core import json_words
from invoicing.replay.models import ReplaySetVersion
from invoicing.replay.rules import content as contents
from metering.models import LaterSealing

LOCK = "replay.ReplaySetVersion:append_only"
Origin = ReplaySetVersion.Origin


def is_erased(version: ReplaySetVersion) -> bool:
    """Whether there is nothing left but the hash of what was there."""
    return ReplaySetVersion.objects.filter(pk=version.pk, content=b"").exists()


def in_words(version: ReplaySetVersion) -> str:
    """What is so of an erased version, and what to do."""
    return (
        f"What {version} held was erased with somebody whom it named. Its hash and the results of its runs stay, and it"
        " cannot be run again as it was: make the next version of the set."
    )


def versions_that_hold(
    *, words: Collection[str], ids: Collection[str], customer_code: str = ""
) -> list[ReplaySetVersion]:
    """Uploads that say one of these words or ids, and histories of this customer with what was marked afterwards."""
    forms = [form.casefold() for form in json_words.forms_of(words=words, ids=ids)]
    return [one for one in _versions() if _holds(one, forms, customer_code)]


def erase_content(versions: Collection[ReplaySetVersion]) -> None:
    """Nothing is left of what they held; hash, figures, runs and plays stay."""
    with pgtrigger.ignore(LOCK):
        ReplaySetVersion.objects.filter(pk__in=[one.pk for one in versions]).update(content=b"")


def _versions() -> Iterator[ReplaySetVersion]:
    found = ReplaySetVersion.objects.exclude(content=b"").select_related("replay_set").order_by("pk")
    yield from found.iterator(chunk_size=10)


def _holds(version: ReplaySetVersion, forms: Collection[str], customer_code: str) -> bool:
    content = contents.unpack(version.content)
    if version.origin == Origin.UPLOAD:
        text = contents.canonical_text(content).decode().casefold()
        return any(form in text for form in forms)
    return customer_code in content["customers"] and _is_older_than_a_mark(version)


def _is_older_than_a_mark(version: ReplaySetVersion) -> bool:
    """By ids: the contracts of a set from history are those of this installation."""
    marked = LaterSealing.objects.filter(version__contract__in=version.holds["contracts"])
    return marked.filter(started_at__gt=version.created_at).exists() or marked.filter(finished_at=None).exists()
