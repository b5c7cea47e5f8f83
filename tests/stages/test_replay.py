"""Closed periods are run again in a database of their own, and say down to the event where they come out otherwise.

All of it is played once, for every test of this file: a replay takes a second or two.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from psycopg import sql

from invoicing.replay import candidate, engine, history
from invoicing.replay.engine import Played
from invoicing.replay.rules import compare, includes, sums
from invoicing.replay.rules.content import Content
from tests.builders import replayed

pytestmark = pytest.mark.django_db
ORDERS = 3
HOLDS = "SELECT md5(coalesce(string_agg(row::text, '|' ORDER BY row::text), '')) FROM {} AS row"
STANDS = "SELECT last_value || ' ' || is_called FROM {}"
LINE = "tiered/tokens, 1 Oct 2026 to 1 Nov 2026"
OCTOBER = "acme (subscription {}), 1 Oct 2026 to 1 Nov 2026"


@dataclass(frozen=True, kw_only=True)
class Plays:
    """The content, and everything that was played of it."""

    content: Content
    first: Played
    shuffled: list[Played]
    dearer: Played
    stricter: Played
    live_before: dict[str, str]
    live_after: dict[str, str]

    @property
    def october(self) -> str:
        document = self.content["steps"][0]["expected"][0]
        return OCTOBER.format(document["subscription"])


def digest_of_everything() -> dict[str, str]:
    """Every row of every table, and where every sequence stands."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, relkind FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S') ORDER BY 1"
        )
        found = {}
        for name, kind in cursor.fetchall():
            cursor.execute(sql.SQL(STANDS if kind in ("S", b"S") else HOLDS).format(sql.Identifier(name)).as_string())
            ((found[name],),) = cursor.fetchall()
    return found


@pytest.fixture(scope="module")
def plays(django_db_setup: None, django_db_blocker: Any) -> Iterator[Plays]:
    with replayed.lasting_world(django_db_blocker):
        company = replayed.open_company()
        replayed.bill_two_months(company)
        yield play_everything(company)


def play_everything(company: Any) -> Plays:
    dearer, stricter = replayed.propose_dearer(), replayed.draft_stricter(company)
    before = digest_of_everything()
    content = history.make_content(customer_codes=["acme"])
    with engine.player() as player:
        return Plays(
            content=content,
            first=player.play(content),
            shuffled=[player.play(content, seed=seed) for seed in range(1, ORDERS + 1)],
            dearer=player.play(candidate.put_in_place(content, dearer)),
            stricter=player.play(candidate.put_in_place(content, stricter)),
            live_before=before,
            live_after=digest_of_everything(),
        )


def test_two_closed_months_come_out_as_they_were_billed(plays: Plays) -> None:
    assert compare.find_differences(plays.content, plays.first.result) == []
    documents = [one for step in plays.first.result["steps"] for one in step["documents"]]
    assert [(one["subtotal"], one["tax"], one["total"]) for one in documents] == [
        ("51.50", "9.79", "61.29"),
        ("50.10", "9.52", "59.62"),
    ]


def test_what_was_captured_again_is_what_had_been_captured(plays: Plays) -> None:
    steps = plays.first.result["steps"]
    # o1, o2 and o3, then n1, late and n2; the first three of each step are sent once more.
    assert [(step["accepted"], step["duplicates"], step["quarantined"]) for step in steps] == [(3, 3, 0), (3, 3, 0)]


def test_nothing_live_changes(plays: Plays) -> None:
    assert len(plays.live_before) > 150
    assert plays.live_after == plays.live_before


def test_other_orders_of_arrival_give_the_same_bytes(plays: Plays) -> None:
    assert {one.result_hash for one in plays.shuffled} == {plays.first.result_hash}


def test_the_set_says_what_it_includes(plays: Plays) -> None:
    found = includes.find_includes(plays.content)
    assert found == {"retries": 6, "retries_added": 6, "late_arrivals": 1, "plan_changes": 1, "threshold_crossings": 1}
    assert includes.missing_of([found]) == []


def test_nobody_is_named_in_a_set(plays: Plays) -> None:
    text = str(plays.content)
    assert "Acme GmbH" not in text
    assert "pay@acme.example" not in text
    assert "DE129273398" not in text
    assert "IBAN" not in text


def test_a_dearer_price_shows_what_it_changes_for_whom(plays: Plays) -> None:
    before, after = (sums.customer_totals(one.result["steps"]) for one in (plays.first, plays.dearer))
    assert {who: str(total) for who, total in before.items()} == {("acme", "EUR"): "120.91"}
    # October 3.00 + 0.50 + 49.00, 62.48 with tax; November 0.90 + 0.40 + 0.10 + 49.00, 59.98 with tax.
    assert {who: str(total) for who, total in after.items()} == {("acme", "EUR"): "122.46"}
    changes = compare.find_changes(plays.content, plays.first.result, plays.dearer.result)
    [line] = [one for one in changes if one.line == LINE and one.what == "amount" and one.document == plays.october]
    assert (line.expected, line.found, line.because) == ("2.50", "3.50", ["price version v2 instead of v1"])


def test_a_stricter_contract_shows_which_event_the_line_loses(plays: Plays) -> None:
    changes = compare.find_changes(plays.content, plays.first.result, plays.stricter.result)
    [line] = [one for one in changes if one.line == LINE and one.what == "quantity" and one.document == plays.october]
    assert (line.expected, line.found) == ("1500", "500")
    assert line.because == [
        "/meter/acme o1 is missing (expected 1000): quarantined (schema_maximum /data/units)",
    ]


def test_an_event_that_is_missing_is_named(plays: Plays) -> None:
    expecting = copy.deepcopy(plays.content)
    line = next(line for line in expecting["steps"][0]["expected"][0]["lines"] if line["meter"])
    line["events"]["/meter/acme o9"] = "50"
    line["quantity"] = "1550"
    [found] = compare.find_differences(expecting, plays.first.result)
    assert (found.line, found.what, found.expected, found.found) == (LINE, "quantity", "1550", "1500")
    assert found.because == ["/meter/acme o9 is missing (expected 50): not in the set"]
