"""The MQTT codec under coverage-guided fuzzing, in its short form. For longer: python -m tests.proofs.fuzzed"""

import pytest

from sprinkler import mqtt

from . import fuzzed


def test_the_codec_holds_under_coverage_guided_fuzzing_which_reaches_nearly_all_of_its_branches():
    found = fuzzed.fuzz(60, 20_000, 3)
    assert found["executions"] == 20_000
    assert found["branches"] / found["branches_all"] > 0.9
    assert found["corpus"] > 2 * len(fuzzed.SEEDS)


@pytest.mark.parametrize(
    ("name", "spoiled"),
    [
        ("_HEAD_MAX", 100_000),
        ("_FORM", ((mqtt.PUBACK, 0, 0, 2), (mqtt.SUBACK, 0, 0, 64), (mqtt.CONNACK, 0, 2, 2), (mqtt.PINGRESP, 0, 0, 0))),
    ],
)
def test_a_spoiled_codec_is_caught(monkeypatch, name, spoiled):
    monkeypatch.setattr(mqtt, name, spoiled)
    with pytest.raises(fuzzed.BrokenError, match="input"):
        fuzzed.fuzz(20, 20_000, 3)
