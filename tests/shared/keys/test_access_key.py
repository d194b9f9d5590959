import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import UnexpectedResponseError
from shared.keys.access_key import AccessKey, parse_access_key


def test_answer_of_the_auth_api() -> None:
    key = parse_access_key(b'{"AccessKey": "s\xc3\xa9cret", "KeyId": "k1"}', obtained_at=100.0)
    assert key == AccessKey("k1", "sécret".encode(), 100.0)
    assert key.expires_at == 100.0 + 90 * 60


def test_a_signature_leaves_the_key_as_it_was() -> None:
    key = AccessKey("k1", b"Jefe", 100.0)  # test case 2 of RFC 4231
    for _ in range(2):
        signature = key.sign(b"what do ya want for nothing?")
        assert signature.hex() == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert key == AccessKey("k1", b"Jefe", 100.0)


@given(secret=st.binary(min_size=1, max_size=200), message=st.binary(max_size=200))
def test_a_signature_is_the_hmac_of_the_standard_library(secret: bytes, message: bytes) -> None:
    assert AccessKey("k1", secret, 100.0).sign(message) == hmac.digest(secret, message, "sha256")


@pytest.mark.parametrize("length", [63, 64, 65])
def test_a_secret_about_as_long_as_a_block_signs_alike(length: int) -> None:
    assert AccessKey("k1", bytes(length), 100.0).sign(b"x") == hmac.digest(
        bytes(length), b"x", "sha256"
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        b'{"AccessKey": "hidden"}',
        b'{"KeyId": "k1"}',
        b'{"AccessKey": "", "KeyId": "k1"}',
        # It goes into every token and into the log.
        b'{"AccessKey": "hidden", "KeyId": "k1\\nforged"}',
        b'{"AccessKey": "hidden", "KeyId": "k 1"}',
        b'{"AccessKey": "hidden", "KeyId": "' + b"k" * 257 + b'"}',
        b'{"AccessKey": "hidden", "KeyId": 7}',
        b"\xff",
        b'{"AccessKey": "hidden\\ud800", "KeyId": "k1"}',
        b"[" * 100_000,
    ],
)
def test_an_unusable_answer_is_an_error_that_repeats_nothing_of_it(body: bytes) -> None:
    with pytest.raises(UnexpectedResponseError) as caught:
        parse_access_key(body, obtained_at=0.0)
    assert "hidden" not in str(caught.value)
