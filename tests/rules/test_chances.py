"""The chances behind alarms, against values from books and by counting."""

import math
from itertools import combinations, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.rules import chances


class TestShare:
    def test_the_lady_tasting_tea(self) -> None:
        """Fisher 1935: of eight cups, four with milk first; all four right is 1 in 70, three or more 17 in 70."""
        right = chances.chance_of_share(hits=4, total=4, hits_before=0, total_before=4)
        assert right == pytest.approx(1 / 70)
        assert chances.chance_of_share(hits=3, total=4, hits_before=1, total_before=4) == pytest.approx(17 / 70)

    def test_agresti_table_of_thirteen_patients(self) -> None:
        """1 of 12 against 9 of 12 studying (Wikipedia, "Fisher's exact test"): one-sided 0.001379728."""
        found = chances.chance_of_share(hits=9, total=12, hits_before=1, total_before=12)
        assert found == pytest.approx(0.001379728, rel=1e-6)

    def test_a_share_that_did_not_rise_is_no_surprise(self) -> None:
        assert chances.chance_of_share(hits=1, total=10, hits_before=10, total_before=100) == 1.0
        assert chances.chance_of_share(hits=0, total=10, hits_before=0, total_before=100) == 1.0
        assert chances.chance_of_share(hits=0, total=0, hits_before=5, total_before=100) == 1.0

    @given(st.integers(1, 7), st.integers(1, 7), st.data())
    def test_it_is_the_part_of_all_deals_that_give_as_many(
        self, total: int, total_before: int, data: st.DataObject
    ) -> None:
        hits = data.draw(st.integers(0, total))
        hits_before = data.draw(st.integers(0, total_before))
        if hits * total_before <= hits_before * total:
            return
        cards = [1] * (hits + hits_before) + [0] * (total + total_before - hits - hits_before)
        deals = [sum(cards[place] for place in deal) for deal in combinations(range(len(cards)), total)]
        by_counting = sum(deal >= hits for deal in deals) / len(deals)
        found = chances.chance_of_share(hits=hits, total=total, hits_before=hits_before, total_before=total_before)
        assert found == pytest.approx(by_counting)

    def test_a_million_events_take_no_longer_to_judge(self) -> None:
        found = chances.chance_of_share(hits=60_000, total=1_000_000, hits_before=500_000, total_before=10_000_000)
        assert 0 <= found < 1e-300


class TestRankSum:
    def test_five_minutes_above_sixty(self) -> None:
        """C(65, 5) = 65·64·63·62·61 / 120 = 8,259,888; with one pair the other way it is the second best order."""
        assert chances.chance_of_rank_sum(recent=5, before=60, not_above=0) == 1 / 8_259_888
        assert chances.chance_of_rank_sum(recent=5, before=60, not_above=1) == 2 / 8_259_888

    def test_against_the_table_of_mann_and_whitney(self) -> None:
        """Their table of 1947 for n = m = 5: U of at most 4 with the chance .048 (12 of 252)."""
        assert chances.chance_of_rank_sum(recent=5, before=5, not_above=4) == 12 / 252

    @given(st.integers(1, 3), st.integers(1, 4), st.data())
    def test_it_is_the_part_of_all_orders_with_the_recent_as_high(
        self, recent: int, before: int, data: st.DataObject
    ) -> None:
        not_above = data.draw(st.integers(0, recent * before))
        orders = list(permutations(range(recent + before)))
        as_high = sum(
            sum(now < then for now in order[before:] for then in order[:before]) <= not_above for order in orders
        )
        found = chances.chance_of_rank_sum(recent=recent, before=before, not_above=not_above)
        assert found == pytest.approx(as_high / len(orders))


class TestAbsence:
    def test_whole_numbers_by_hand(self) -> None:
        """One week with three minutes: 1/2 each. Two weeks with two each: (2/3) ** 4."""
        assert chances.chance_of_absence(least=3, weeks=1) == 0.125
        assert chances.chance_of_absence(least=2, weeks=2) == pytest.approx(16 / 81)

    def test_hours_with_nothing_say_nothing(self) -> None:
        assert chances.chance_of_absence(least=0, weeks=4) == 1.0


class TestGap:
    @pytest.mark.parametrize(
        ("factor", "gaps", "expected"),
        [
            (2, 20, 2 / (21 * 22)),
            (3, 20, 6 / (21 * 22 * 23)),
            (3, 168, 6 / (169 * 170 * 171)),  # a week of hours: three hours of silence, about one in a million
            (2, 1440, 2 / (1441 * 1442)),
        ],
    )
    def test_whole_factors_by_hand(self, factor: int, gaps: int, expected: float) -> None:
        found = chances.chance_of_gap(gap=factor * 7, longest=7, gaps=gaps)
        assert found == pytest.approx(expected)

    def test_a_pause_no_longer_than_the_longest_is_no_surprise(self) -> None:
        assert chances.chance_of_gap(gap=7, longest=7, gaps=1000) == 1.0

    def test_it_is_what_drawing_from_exponential_pauses_gives(self) -> None:
        """P(next > f · max of m) = ∫ e^(−f x) m e^(−x) (1 − e^(−x))^(m−1) dx, by Simpson's rule."""
        gaps, factor, steps, width = 6, 1.5, 20_000, 40.0

        def density(x: float) -> float:
            return math.exp(-factor * x) * gaps * math.exp(-x) * (1 - math.exp(-x)) ** (gaps - 1)

        step = width / steps
        weights = [1, *([4, 2] * (steps // 2 - 1)), 4, 1]
        integral = step / 3 * sum(weight * density(number * step) for number, weight in enumerate(weights))
        assert chances.chance_of_gap(gap=1.5, longest=1, gaps=gaps) == pytest.approx(integral, rel=1e-6)

    @given(st.integers(1, 5000), st.integers(1, 500), st.integers(1, 5000))
    def test_a_longer_pause_and_a_longer_memory_surprise_more(self, gap: int, longest: int, gaps: int) -> None:
        found = chances.chance_of_gap(gap=gap, longest=longest, gaps=gaps)
        assert 0 <= found <= 1
        assert chances.chance_of_gap(gap=gap + 1, longest=longest, gaps=gaps) <= found
        assert chances.chance_of_gap(gap=gap, longest=longest, gaps=gaps + 1) <= found
