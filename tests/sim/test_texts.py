"""The port's JSON says what CPython's says."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.garden import Program, plant
from sim.port.texts import JsonModule
from sim.world import Scenario
from sprinkler import report

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_texts_are_cpythons(value):
    assert JsonModule.dumps(value) == json.dumps(value)
    assert JsonModule.loads(JsonModule.dumps(value)) == value


def test_what_has_no_form_is_refused():
    with pytest.raises(TypeError):
        JsonModule.dumps(b"bytes")


def test_a_board_that_lives_writes_with_it():
    board, _ = plant(Scenario(zones=1), Program(), seed=1, device_id="00000001")
    board.run_for(60)
    board.stop()
    assert isinstance(report.json, JsonModule)
