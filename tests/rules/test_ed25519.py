"""Ed25519 as RFC 8032 has it: its own test vectors, and nothing else passes."""

import pytest

from core import ed25519

# RFC 8032, section 7.1: seed, public key, message, and the two halves of the signature.
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
            "d25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
            "387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
            "4a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
]


@pytest.mark.parametrize(("seed", "key", "message", "signature"), VECTORS)
def test_it_signs_and_verifies_as_the_rfc_does(seed: str, key: str, message: str, signature: str) -> None:
    assert ed25519.public_key(bytes.fromhex(seed)).hex() == key
    assert ed25519.sign(bytes.fromhex(message), seed=bytes.fromhex(seed)).hex() == signature
    assert ed25519.is_valid(bytes.fromhex(message), signature=bytes.fromhex(signature), key=bytes.fromhex(key))


@pytest.mark.parametrize("place", range(0, 64, 7))
def test_no_other_signature_is_valid(place: int) -> None:
    _, key, message, signature = VECTORS[1]
    other = bytearray(bytes.fromhex(signature))
    other[place] ^= 1
    assert not ed25519.is_valid(bytes.fromhex(message), signature=bytes(other), key=bytes.fromhex(key))


def test_neither_another_message_nor_another_key_nor_half_a_signature_is_valid() -> None:
    _, key, message, signature = (bytes.fromhex(part) for part in VECTORS[2])
    assert not ed25519.is_valid(message + b"\0", signature=signature, key=key)
    assert not ed25519.is_valid(message, signature=signature, key=bytes.fromhex(VECTORS[0][1]))
    assert not ed25519.is_valid(message, signature=signature[:32], key=key)
    assert not ed25519.is_valid(message, signature=signature, key=bytes([255]) * 32)


def test_a_signature_is_not_valid_in_a_second_form() -> None:
    """Adding the group's order to the answer would give another text for the same signature."""
    _, key, message, signature = (bytes.fromhex(part) for part in VECTORS[0])
    answer = int.from_bytes(signature[32:], "little") + ed25519.ORDER
    again = signature[:32] + answer.to_bytes(32, "little")
    assert not ed25519.is_valid(message, signature=again, key=key)
