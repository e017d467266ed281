"""Nobody without the key waters, whatever is sent. A million messages: python -m tests.proofs.forged"""

import pytest

from sprinkler import commands, inbox

from . import forged


def result(messages: int) -> dict:
    return forged.summary([forged.attack((7, messages), lambda _: False)], 0)


def test_of_many_thousand_bad_commands_none_is_accepted_none_goes_without_an_answer_and_good_ones_are_heard():
    found = result(22_000)
    assert found["messages"] == 22_000
    assert forged.holds(found), found
    assert found["good"] == 44
    assert min(row["messages"] for row in found["kinds"].values()) == 2000


@pytest.mark.parametrize(
    ("module", "name", "spoiled", "kinds"),
    [
        (inbox, "verify", lambda _key, _topic, payload: max(len(payload) - 33, 0), {"unsigned", "another key"}),
        (commands, "_judge", lambda *_: None, {"replayed", "expired", "retained"}),
    ],
)
def test_a_spoiled_inbox_is_caught(monkeypatch, module, name, spoiled, kinds):
    monkeypatch.setattr(module, name, spoiled)
    found = result(2200)
    assert not forged.holds(found)
    assert kinds <= {kind for kind, row in found["kinds"].items() if row["accepted"]}
