"""AES-256-GCM against the published cases 13 to 16 of McGrew and Viega, "The Galois/Counter Mode of Operation"."""

import pytest

from core import aead

KEY = bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2)
NONCE = bytes.fromhex("cafebabefacedbaddecaf888")
TEXT = bytes.fromhex(
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255"
)
SEALED = bytes.fromhex(
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad"
)
BOUND_TO = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")


@pytest.mark.parametrize(
    ("key", "nonce", "text", "bound_to", "sealed"),
    [
        (bytes(32), bytes(12), b"", b"", bytes.fromhex("530f8afbc74536b9a963b4f1c4cb738b")),
        (
            bytes(32),
            bytes(12),
            bytes(16),
            b"",
            bytes.fromhex("cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"),
        ),
        (KEY, NONCE, TEXT, b"", SEALED + bytes.fromhex("b094dac5d93471bdec1a502270e3cc6c")),
        (KEY, NONCE, TEXT[:60], BOUND_TO, SEALED[:60] + bytes.fromhex("76fc6ece0f4e1768cddf8853bb2d551b")),
    ],
)
def test_the_published_cases_come_out(key: bytes, nonce: bytes, text: bytes, bound_to: bytes, sealed: bytes) -> None:
    assert aead.encrypt(text, key=key, nonce=nonce, bound_to=bound_to) == sealed
    assert aead.decrypt(sealed, key=key, nonce=nonce, bound_to=bound_to) == text


@pytest.mark.parametrize(
    "changed",
    [
        {"key": bytes(32)},
        {"nonce": bytes(12)},
        {"bound_to": b"another place"},
        *({"sealed": bytes([*range(place), 255, *range(76 - place - 1)])} for place in (0, 40, 75)),
    ],
)
def test_whatever_is_changed_opens_nothing(changed: dict[str, bytes]) -> None:
    sealed = aead.encrypt(TEXT[:60], key=KEY, nonce=NONCE, bound_to=BOUND_TO)
    given = {"sealed": sealed, "key": KEY, "nonce": NONCE, "bound_to": BOUND_TO, **changed}
    with pytest.raises(aead.SealBrokenError):
        aead.decrypt(given.pop("sealed"), **given)


def test_one_flipped_bit_is_found_wherever_it_is() -> None:
    sealed = aead.encrypt(TEXT[:60], key=KEY, nonce=NONCE)
    for place in range(len(sealed)):
        bent = bytearray(sealed)
        bent[place] ^= 1
        with pytest.raises(aead.SealBrokenError):
            aead.decrypt(bytes(bent), key=KEY, nonce=NONCE)


def test_short_keys_nonces_and_texts_are_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        aead.encrypt(b"", key=bytes(16), nonce=NONCE)
    with pytest.raises(ValueError, match="nonce 12"):
        aead.encrypt(b"", key=KEY, nonce=bytes(16))
    with pytest.raises(aead.SealBrokenError):
        aead.decrypt(bytes(15), key=KEY, nonce=NONCE)
