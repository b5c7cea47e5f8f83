"""AES-256-GCM by the OpenSSL that Python's own hashlib loads: nothing is implemented here, and no package is needed."""

import _hashlib
import ctypes
from ctypes import byref, c_char_p, c_int, c_size_t, c_void_p, create_string_buffer
from functools import cache
from typing import Any

KEY_BYTES, NONCE_BYTES, TAG_BYTES = 32, 12, 16
_GET_TAG, _SET_TAG = 0x10, 0x11  # EVP_CTRL_AEAD_GET_TAG, EVP_CTRL_AEAD_SET_TAG of openssl/evp.h
_POINTERS_FIVE = [c_void_p, c_void_p, c_void_p, c_char_p, c_char_p]


class SealBrokenError(ValueError):
    """The bytes were not sealed under this key, or were changed."""


@cache
def _openssl() -> Any:
    """The library behind hashlib, with the shapes of the calls that are made (EVP_EncryptInit(3))."""
    library = ctypes.CDLL(getattr(_hashlib, "__file__", None) or "libcrypto.so.3")
    library.EVP_CIPHER_CTX_new.restype = c_void_p
    library.EVP_aes_256_gcm.restype = c_void_p
    library.EVP_CIPHER_CTX_free.argtypes = [c_void_p]
    library.EVP_CIPHER_CTX_ctrl.argtypes = [c_void_p, c_int, c_int, c_void_p]
    for way in ("Encrypt", "Decrypt"):
        getattr(library, f"EVP_{way}Init_ex").argtypes = _POINTERS_FIVE
        getattr(library, f"EVP_{way}Update").argtypes = [c_void_p, c_void_p, c_void_p, c_char_p, c_int]
        getattr(library, f"EVP_{way}Final_ex").argtypes = [c_void_p, c_void_p, c_void_p]
    return library


def encrypt(text: bytes, *, key: bytes, nonce: bytes, bound_to: bytes = b"") -> bytes:
    """Ciphertext and its tag of 16 bytes. A nonce is used for one text only under one key."""
    library, cipher = _openssl(), _Cipher(key, nonce)
    with cipher as context:
        _must(library.EVP_EncryptInit_ex(context, library.EVP_aes_256_gcm(), None, key, nonce))
        _feed(library.EVP_EncryptUpdate, context, bound_to)
        sealed = _update(library.EVP_EncryptUpdate, context, text)
        _must(library.EVP_EncryptFinal_ex(context, create_string_buffer(TAG_BYTES), byref(c_int())))
        tag = create_string_buffer(TAG_BYTES)
        _must(library.EVP_CIPHER_CTX_ctrl(context, _GET_TAG, TAG_BYTES, tag))
    return sealed + tag.raw


def decrypt(sealed: bytes, *, key: bytes, nonce: bytes, bound_to: bytes = b"") -> bytes:
    """The text again; SealBrokenError unless key, nonce, what it is bound to and every byte are the same."""
    if len(sealed) < TAG_BYTES:
        raise SealBrokenError("It is too short to be sealed.")
    library, cipher = _openssl(), _Cipher(key, nonce)
    with cipher as context:
        _must(library.EVP_DecryptInit_ex(context, library.EVP_aes_256_gcm(), None, key, nonce))
        _feed(library.EVP_DecryptUpdate, context, bound_to)
        text = _update(library.EVP_DecryptUpdate, context, sealed[:-TAG_BYTES])
        tag = create_string_buffer(sealed[-TAG_BYTES:], TAG_BYTES)
        _must(library.EVP_CIPHER_CTX_ctrl(context, _SET_TAG, TAG_BYTES, tag))
        if library.EVP_DecryptFinal_ex(context, create_string_buffer(TAG_BYTES), byref(c_int())) != 1:
            raise SealBrokenError("It was sealed under another key, or changed since.")
    return text


class _Cipher:
    """A context of OpenSSL that is given back whatever happens."""

    def __init__(self, key: bytes, nonce: bytes) -> None:
        if len(key) != KEY_BYTES or len(nonce) != NONCE_BYTES:
            raise ValueError(f"A key has {KEY_BYTES} bytes and a nonce {NONCE_BYTES}.")

    def __enter__(self) -> c_void_p:
        self._context = c_void_p(_openssl().EVP_CIPHER_CTX_new())
        return self._context

    def __exit__(self, *_: object) -> None:
        _openssl().EVP_CIPHER_CTX_free(self._context)


def _feed(update: Any, context: c_void_p, bound_to: bytes) -> None:
    if bound_to:
        _must(update(context, None, byref(c_int()), bound_to, len(bound_to)))


def _update(update: Any, context: c_void_p, text: bytes) -> bytes:
    out, written = create_string_buffer(len(text) + TAG_BYTES), c_int()
    if text:
        _must(update(context, out, byref(written), text, len(text)))
    return ctypes.string_at(out, c_size_t(written.value).value)


def _must(answer: int) -> None:
    if answer != 1:
        raise SealBrokenError("OpenSSL refused.")
