"""Signed bodies against Python's own hmac, and everything that must not verify."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprinkler.auth import sign, verify
from sprinkler.pairing import pairing_code
from sprinkler.protocol import PAYLOAD_MAX

KEY = bytes(range(16))
TOPIC = "solar_sprinkler/5a17e001/command"
BODY = b'{"command": "run"}'


@given(st.binary(min_size=16, max_size=16), st.text(max_size=60), st.binary(max_size=300))
def test_the_signature_is_hmac_sha256_over_topic_zero_and_body(key, topic, body):
    expected = hmac.new(key, topic.encode() + b"\0" + body, hashlib.sha256).hexdigest()[:32].encode()
    assert sign(key, topic, body) == body + b"\n" + expected


@given(st.binary(min_size=16, max_size=16), st.binary(max_size=300))
def test_what_is_signed_verifies(key, body):
    assert verify(key, TOPIC, sign(key, TOPIC, body)) == len(body)


def test_a_signature_counts_for_its_topic_only():
    assert verify(KEY, TOPIC.replace("command", "desired"), sign(KEY, TOPIC, BODY)) == 0


def test_a_signature_counts_for_its_board_only():
    assert verify(bytes(16), TOPIC, sign(KEY, TOPIC, BODY)) == 0


def test_every_changed_bit_is_seen():
    signed = sign(KEY, TOPIC, BODY)
    for i in range(len(signed)):
        for bit in range(8):
            forged = bytearray(signed)
            forged[i] ^= 1 << bit
            assert verify(KEY, TOPIC, bytes(forged)) == 0, (i, bit)


@pytest.mark.parametrize("payload", [b"", b"\n", BODY, b"x" * 33, BODY + b"\n" + b"0" * 31, BODY + b" " + b"0" * 32])
def test_what_has_no_signature_does_not_verify(payload):
    assert verify(KEY, TOPIC, payload) == 0


def test_an_upper_case_signature_does_not_verify():
    signed = sign(KEY, TOPIC, BODY)
    assert verify(KEY, TOPIC, BODY + b"\n" + signed[-32:].upper()) == 0


def test_a_body_over_the_limit_is_refused_before_its_signature_is_computed():
    assert verify(KEY, TOPIC, sign(KEY, TOPIC, b"x" * PAYLOAD_MAX)) == 0


def test_the_pairing_code_is_base32_with_two_check_characters():
    assert pairing_code(KEY) == "AAAQ-EAYE-AUDA-OCAJ-BIFQ-YDIO-B4FO"


@given(st.binary(min_size=16, max_size=16))
def test_every_single_slip_and_every_swap_of_neighbours_is_caught(key):
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

    def fits(digits: list[int]) -> bool:
        number = 0
        for digit in digits[:26]:
            number = number * 32 + digit
        return number % 4 == 0 and (number >> 2) % 1021 == digits[26] * 32 + digits[27]

    digits = [alphabet.index(c) for c in pairing_code(key).replace("-", "")]
    assert fits(digits)
    for i in range(28):
        for other in range(32):
            slip = [*digits[:i], other, *digits[i + 1 :]]
            assert fits(slip) == (slip == digits), (i, other)
        swap = [*digits[:i], *reversed(digits[i : i + 2]), *digits[i + 2 :]]
        assert fits(swap) == (swap == digits), i
