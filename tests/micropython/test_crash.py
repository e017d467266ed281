"""The short form of crash anywhere on the real interpreter: seeded calls of the port, and seeded steps of VfsLfs2's flash."""

import pytest

from tests.proofs import interpreter


@pytest.mark.timeout(300)
def test_wherever_a_reset_or_a_power_cut_comes_the_board_closes_and_waters_again(note):
    found = interpreter.run(**interpreter.SHORT, seed=1)
    assert found["broken"] == []
    assert found["crashes_at_calls"] == interpreter.SHORT["calls"]
    assert found["flash_cuts"] >= interpreter.SHORT["cuts"] - 2
    note(f"on VfsLfs2 and the port: {found['crashes_at_calls']} resets, {found['flash_cuts']} power cuts, none broken")
