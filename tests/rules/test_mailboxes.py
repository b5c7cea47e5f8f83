"""When two addresses are one mailbox."""

import pytest

from accounts.rules import mailboxes


@pytest.mark.parametrize(
    "address", ["pat@lumen.example", " PAT@Lumen.Example ", "pat+2@lumen.example", "Pat+a+b@lumen.example"]
)
def test_one_mailbox_is_written_in_many_ways(address: str) -> None:
    assert mailboxes.same_mailbox(address) == "pat@lumen.example"


@pytest.mark.parametrize(
    "address", ["pat2@lumen.example", "p.at@lumen.example", "pat@lumen.test", "pat@x.lumen.example"]
)
def test_other_addresses_are_other_mailboxes(address: str) -> None:
    assert mailboxes.same_mailbox(address) != "pat@lumen.example"


def test_what_is_no_address_stays_itself() -> None:
    assert mailboxes.same_mailbox("Nobody") == "nobody"
