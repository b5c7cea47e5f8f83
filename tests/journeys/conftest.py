"""Every journey that has a database ends with all invariants asked."""

from collections.abc import Iterator

import pytest

from tests.builders import soundness


@pytest.fixture(autouse=True)
def sound_in_the_end(request: pytest.FixtureRequest) -> Iterator[None]:
    """Asked before the database is taken back, since this fixture asked for it."""
    marker = request.node.get_closest_marker("django_db")
    if marker is None:
        yield
        return
    request.getfixturevalue("transactional_db" if marker.kwargs.get("transaction") else "db")
    yield
    assert soundness.offences() == {}
