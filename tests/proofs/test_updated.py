"""Boards that are updated in the middle of everything end as old or as new. A thousand of them: python -m tests.proofs.updated"""

from tests.proofs.updated import Board, many, summary


def test_boards_updated_in_the_middle_of_everything_end_as_old_or_new_with_their_valves_closed():
    found = summary(many(40, 2, 9_000))
    print(found)
    assert found["in_between"] == []
    assert found["valve_open_after_a_boot"] == 0
    assert found["new"] >= 25
    assert found["old"] >= 3, "versions that do not hold are among them"
    assert found["power_cuts"] >= 20


def test_a_life_is_the_same_each_time():
    assert Board(7, 9_000).live() == Board(7, 9_000).live()
