"""The component's end of docs/protocol.md: what it understands, what it refuses, and what it builds. Nothing here starts Home Assistant."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custom_components.solar_sprinkler import messages, models, pairing, protocol, signing
from custom_components.solar_sprinkler.errors import ModelError, PairingCodeError, SignatureError, SprinklerError
from tests.ha import witness
from tests.ha.witness import DEVICE_ID, KEY

PARSERS = {
    "availability": models.availability,
    "state": models.state,
    "telemetry": models.telemetry,
    "event": models.event,
    "reply": models.reply,
    "time_request": models.time_request,
    "update/request": models.update_request,
    "update/state": models.update_state,
}
FROM_BOARD = [(kind, body) for kind, modifier, body in witness.examples() if kind in PARSERS and not modifier]
BUILT = [
    (kind, json.loads(body))
    for kind, modifier, body in witness.examples()
    if kind in ("ack", "command", "desired", "time")
]


@pytest.fixture
def auto_enable_custom_integrations() -> None:
    """Overrides the folder's: these tests need no Home Assistant."""


def announced(**changes):
    return witness.signed("announce", {**witness.example("announce"), **changes}).encode()


@pytest.mark.parametrize(("kind", "body"), FROM_BOARD)
def test_each_example_from_the_board_is_understood_completely(kind, body):
    found = PARSERS[kind](body.encode())
    sent = json.loads(body)
    for key, value in sent.items():
        read = getattr(found, key)
        if isinstance(value, list):
            assert len(read) == len(value)
        else:
            assert read == value


def test_signed_announce_of_the_documentation_verifies():
    (body,) = [body for kind, modifier, body in witness.examples() if (kind, modifier) == ("announce", "signed")]
    found = models.announce(witness.topic("announce"), body.encode(), KEY)
    assert (found.device_id, found.zones, found.features) == (DEVICE_ID, 2, ("battery", "flow", "soil", "solar"))


def test_zones_of_a_state_are_read_deeply():
    zone = models.state(json.dumps(witness.example("state")).encode()).zones[1]
    assert (zone.valve, zone.faults, zone.last_run.reason) == ("closed", ("no_flow",), "no_flow")


def test_board_without_sensors_says_null():
    sample = models.telemetry(json.dumps(witness.example("telemetry")).encode()).samples[0]
    assert sample.soil_pct == (34, None)


def test_unknown_keys_are_ignored():
    message = {**witness.example("reply"), "brand_new": {"deep": [1]}}
    assert models.reply(json.dumps(message).encode()).id == "4f1c22aa"


def test_word_of_a_newer_firmware_is_kept():
    message = {**witness.example("event"), "reason": "moon_phase", "event": "eclipse"}
    found = models.event(json.dumps(message).encode())
    assert (found.event, found.reason) == ("eclipse", "moon_phase")


def test_unknown_word_about_a_valve_means_unknown():
    message = witness.example("state")
    message["zones"][0]["valve"] = "ajar"
    assert models.state(json.dumps(message).encode()).zones[0].valve == "unknown"


MALFORMED = [
    ("availability", {"state": "on holiday"}),
    ("availability", {"state": "asleep"}),
    ("availability", {"state": "asleep", "until": -1}),
    ("availability", {"state": "asleep", "until": 2**32}),
    ("availability", {"state": "asleep", "until": True}),
    ("availability", {"state": "asleep", "until": 1.5}),
    ("availability", {"state": ["online"]}),
    ("availability", []),
    ("reply", {**witness.example("reply"), "accepted": 1}),
    ("reply", {**witness.example("reply"), "id": ""}),
    ("reply", {**witness.example("reply"), "id": "x" * 17}),
    ("reply", {**witness.example("reply"), "reason": "Not A Word"}),
    ("event", {**witness.example("event"), "zone": 5}),
    ("event", {**witness.example("event"), "n": None}),
    ("time_request", {"nonce": "not hex!"}),
    ("time_request", {}),
    ("telemetry", {"boot_id": 1, "samples": [[]]}),
    ("telemetry", {"boot_id": 1, "samples": {}}),
    ("telemetry", {"boot_id": 1, "samples": witness.example("telemetry")["samples"][::-1]}),
    ("state", {**witness.example("state"), "zones": witness.example("state")["zones"] * 2}),
    ("state", {**witness.example("state"), "faults": [1]}),
    ("state", {**witness.example("state"), "watering_enabled": "yes"}),
]


@pytest.mark.parametrize(("kind", "message"), MALFORMED)
def test_malformed_message_is_refused(kind, message):
    with pytest.raises(ModelError):
        PARSERS[kind](json.dumps(message).encode())


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b"[" * 2000, b"NaN", b'{"nonce": "9f2c41d7a05be863"' + b" " * 2048 + b"}"]
)
def test_what_is_no_json_or_too_long_is_refused(body):
    with pytest.raises(ModelError):
        models.time_request(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=6),
    max_leaves=20,
)


@given(body=st.binary(max_size=400))
@settings(max_examples=300, deadline=None)
@pytest.mark.parametrize("kind", PARSERS)
def test_noise_raises_model_error_and_nothing_else(kind, body):
    with contextlib.suppress(ModelError):
        PARSERS[kind](body)


@given(data=st.data())
@settings(max_examples=300, deadline=None)
@pytest.mark.parametrize("kind", PARSERS)
def test_example_with_anything_in_one_place_raises_model_error_and_nothing_else(kind, data):
    message = witness.example(kind, -1)
    place = message
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], (dict, list)) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(JSON)
    with contextlib.suppress(ModelError):
        PARSERS[kind](json.dumps(message).encode())


@given(payload=st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_noise_for_an_announce_raises_model_error_and_nothing_else(payload):
    for key in (None, KEY):
        with pytest.raises(ModelError):
            models.announce(witness.topic("announce"), payload, key)


def test_announce_on_another_boards_topic_is_refused():
    payload = witness.signed("announce", witness.example("announce"), device_id="00000001").encode()
    with pytest.raises(ModelError, match="another board"):
        models.announce(witness.topic("announce", "00000001"), payload, KEY)


@pytest.mark.parametrize("position", [0, 40, -33, -32, -1])
def test_announce_altered_in_one_place_does_not_verify(position):
    payload = bytearray(announced())
    payload[position] ^= 1
    with pytest.raises(ModelError):
        models.announce(witness.topic("announce"), bytes(payload), KEY)


def test_announce_signed_with_another_key_is_a_signature_error():
    payload = witness.signed("announce", witness.example("announce"), key=bytes(16)).encode()
    with pytest.raises(SignatureError):
        models.announce(witness.topic("announce"), payload, KEY)


def test_length_is_checked_before_the_signature():
    payload = announced(firmware="x" * 2048)
    with pytest.raises(ModelError, match="more than 2048"):
        models.announce(witness.topic("announce"), payload, KEY)


@pytest.mark.parametrize(
    "changes", [{"zones": 0}, {"zones": 5}, {"run_time_max_s": 4}, {"device_id": "5A17E001"}, {"firmware": "\u0000"}]
)
def test_announce_beyond_its_limits_is_refused(changes):
    with pytest.raises(ModelError):
        models.announce(witness.topic("announce"), announced(**changes), KEY)


@pytest.mark.parametrize(("kind", "message"), BUILT)
def test_what_home_assistant_says_is_what_the_documentation_shows(kind, message):
    if kind == "ack":
        built = messages.ack(KEY, DEVICE_ID, **message)
    elif kind == "time":
        built = messages.time_answer(KEY, DEVICE_ID, **message)
    elif kind == "desired":
        built = messages.desired(KEY, DEVICE_ID, message["version"], message["settings"], message["programs"])
    elif "id" in message:
        head = [message.pop(key) for key in ("id", "counter", "expires_at", "command")]
        built = messages.command(KEY, DEVICE_ID, *head, message)
        message = {"id": head[0], "counter": head[1], "expires_at": head[2], "command": head[3], **message}
    else:
        assert json.loads(messages.bare_stop()) == message
        return
    assert witness.opened(kind, built) == message


def test_message_longer_than_a_board_accepts_is_not_built():
    with pytest.raises(ModelError):
        signing.sign(KEY, witness.topic("desired"), b" " * protocol.PAYLOAD_MAX)


def test_pairing_code_of_the_documentation_is_the_key():
    assert pairing.decode(witness.PAIRING_CODE) == KEY
    assert pairing.encode(KEY) == witness.PAIRING_CODE


@given(key=st.binary(min_size=16, max_size=16))
def test_pairing_code_agrees_with_an_independent_reckoning(key):
    assert pairing.encode(key).replace("-", "") == witness.pairing_code(key)
    assert pairing.decode(witness.pairing_code(key)) == key


@pytest.mark.parametrize(
    "code",
    [
        "aaaqeayeaudaocajbifqydiob4fo",
        " AAAQ EAYE AUDA OCAJ BIFQ YDIO B4FO\n",
        "AAAQ\N{EN DASH}EAYE\N{EN DASH}AUDA\N{EN DASH}OCAJ\N{EN DASH}BIFQ\N{EN DASH}YDIO\N{EN DASH}B4FO",
    ],
)
def test_spaces_dashes_and_case_do_not_matter(code):
    assert pairing.decode(code) == KEY


@given(key=st.binary(min_size=16, max_size=16), data=st.data())
@settings(max_examples=300, deadline=None)
def test_every_single_slip_and_every_swap_of_neighbours_is_caught(key, data):
    code = list(witness.pairing_code(key))
    place = data.draw(st.integers(0, len(code) - 2))
    if data.draw(st.booleans()):
        code[place], code[place + 1] = code[place + 1], code[place]
    else:
        code[place] = data.draw(st.sampled_from(pairing.ALPHABET))
    if "".join(code) != witness.pairing_code(key):
        with pytest.raises(PairingCodeError):
            pairing.decode("".join(code))


@pytest.mark.parametrize(
    "code", ["", "AAAQ", witness.PAIRING_CODE + "A", witness.PAIRING_CODE.replace("Q", "1"), "ß" * 28, "É" * 28]
)
def test_wrong_length_and_foreign_characters_are_slips(code):
    with pytest.raises(PairingCodeError):
        pairing.decode(code)


def test_all_errors_are_of_one_tree():
    assert all(issubclass(error, SprinklerError) for error in (ModelError, SignatureError, PairingCodeError))
