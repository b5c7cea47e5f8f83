"""What any store of raw events does: one contract, the same cases against every one of them."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from metering.store.protocol import Counted, EventStore, Row, Span

MARCH = datetime(2026, 3, 1, tzinfo=UTC)
NO_EVENTS = hashlib.sha256(b"").hexdigest()


def row(seq: int, *, customer: int = 1, contract: int = 1, at: datetime = MARCH, data: str = '{"units": 1}') -> Row:
    mark = hashlib.sha256(str(seq).encode()).digest()
    return (seq, "api/eu", f"e{seq}", at, MARCH, mark, data, None, 7, contract, 9, customer)


def rows_of(store: EventStore, span: Span | None = None) -> list[Row]:
    return [each for block in store.read(span or Span()) for each in block]


def seqs_of(store: EventStore, span: Span) -> list[int]:
    return [each[0] for each in rows_of(store, span)]


def test_rows_come_out_as_they_went_in_and_in_capture_order(store: EventStore) -> None:
    rows = [row(3), row(1), row(2)]
    store.insert(rows, token="a")
    assert rows_of(store) == sorted(rows)


@pytest.mark.parametrize(
    "data",
    [
        '{"units": 0.10}',
        '{"units": 12345678901234567890123456789.123456789012345678}',
        '{"name": "Ünïcödé 🙂 \\"quoted\\" \\\\ back"}',
        '{"deep": {"list": [1, 2, {"x": null}]}}',
        "{}",
    ],
)
def test_content_is_kept_to_the_last_digit_and_letter(store: EventStore, data: str) -> None:
    store.insert([row(1, data=data)], token="a")
    (found,) = rows_of(store)
    assert found[6] == data


def test_other_attributes_and_their_absence_are_kept(store: EventStore) -> None:
    bare, full = row(1), (*row(2)[:7], '{"traceparent": "00-1"}', *row(2)[8:])
    store.insert([bare, full], token="a")
    assert rows_of(store) == [bare, full]


@pytest.mark.parametrize(
    "at",
    [
        datetime(2026, 3, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(1926, 12, 31, 23, 59, 59, 1, tzinfo=UTC),
        datetime(2099, 12, 31, tzinfo=UTC),
    ],
)
def test_an_instant_is_kept_to_the_microsecond(store: EventStore, at: datetime) -> None:
    store.insert([row(1, at=at)], token="a")
    assert rows_of(store)[0][3] == at
    assert seqs_of(store, Span(start=at, end=at + timedelta(microseconds=1))) == [1]
    assert seqs_of(store, Span(start=at + timedelta(microseconds=1))) == []
    assert seqs_of(store, Span(end=at)) == []


def test_a_block_sent_again_adds_nothing(store: EventStore) -> None:
    rows = [row(1), row(2)]
    store.insert(rows, token="a")
    store.insert(rows, token="a")
    assert rows_of(store) == rows


def test_a_row_that_comes_in_another_block_is_one_row(store: EventStore) -> None:
    store.insert([row(1), row(2)], token="a")
    store.insert([row(2), row(3)], token="b")
    assert rows_of(store) == [row(1), row(2), row(3)]
    assert store.count(Span()).event_count == 3


def test_a_span_is_narrowed_by_all_it_names(store: EventStore) -> None:
    later = MARCH + timedelta(days=40)
    rows = [row(1), row(2, customer=2), row(3, contract=2), row(4, at=later), row(5)]
    store.insert(rows, token="a")
    assert seqs_of(store, Span(customer_ids=(1,))) == [1, 3, 4, 5]
    assert seqs_of(store, Span(customer_ids=(1, 2), contract_ids=(1,))) == [1, 2, 4, 5]
    assert seqs_of(store, Span(end=later)) == [1, 2, 3, 5]
    assert seqs_of(store, Span(start=later)) == [4]
    assert seqs_of(store, Span(first_seq=2, last_seq=4)) == [2, 3, 4]
    assert seqs_of(store, Span(customer_ids=())) == []
    assert seqs_of(store, Span(seqs=(5, 2, 77))) == [2, 5]


def test_a_page_is_the_first_rows_of_a_span(store: EventStore) -> None:
    rows = [row(seq) for seq in range(1, 8)]
    store.insert(rows, token="a")
    assert store.page(Span(), limit=3) == rows[:3]
    assert store.page(Span(first_seq=4), limit=3) == rows[3:6]
    assert store.page(Span(first_seq=8), limit=3) == []


def test_a_count_comes_with_the_digest_of_the_fingerprints_in_capture_order(store: EventStore) -> None:
    store.insert([row(2), row(1), row(3, customer=2)], token="a")
    both = hashlib.sha256(hashlib.sha256(b"1").digest() + hashlib.sha256(b"2").digest()).hexdigest()
    assert store.count(Span(customer_ids=(1,))) == Counted(2, both)


def test_nothing_counts_as_nothing(store: EventStore) -> None:
    assert store.count(Span()) == Counted(0, NO_EVENTS)
    assert rows_of(store) == []
    assert store.find_last_seq() == 0


def test_the_last_number_is_known(store: EventStore) -> None:
    store.insert([row(41), row(7)], token="a")
    assert store.find_last_seq() == 41


def test_many_rows_are_read_block_by_block(store: EventStore) -> None:
    rows = [row(seq, customer=seq % 7) for seq in range(1, 25_001)]
    store.insert(rows, token="a")
    blocks = [len(block) for block in store.read(Span())]
    assert sum(blocks) == 25_000
    assert len(blocks) > 1
    assert store.count(Span(customer_ids=(3,))).event_count == 3572


def test_its_tables_may_be_prepared_again(store: EventStore) -> None:
    store.insert([row(1)], token="a")
    store.prepare()
    assert rows_of(store) == [row(1)]


def test_a_block_of_old_usage_may_touch_any_number_of_months(store: EventStore) -> None:
    """Ten years and a month: ClickHouse refuses more than a hundred partitions at once unless told."""
    rows = [row(number + 1, at=datetime(2010 + number // 12, number % 12 + 1, 15, tzinfo=UTC)) for number in range(121)]
    store.insert(rows, token="a")
    assert store.count(Span()).event_count == 121
