"""Decision records are numbered 1, 2, 3 …, once each, and their titles carry the number."""

from pathlib import Path

from django.conf import settings


def test_each_record_has_a_number_of_its_own_and_no_number_is_missing() -> None:
    records = sorted((Path(settings.BASE_DIR) / "docs" / "adr").glob("*.md"))
    assert [int(record.name[:4]) for record in records] == list(range(1, len(records) + 1))
    for record in records:
        title = record.read_text(encoding="utf-8").splitlines()[0]
        assert title.startswith(f"# {int(record.name[:4])}. "), record.name
