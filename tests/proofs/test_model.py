"""The short form of the proof: every view holds, reaches what it is about, and can fail."""

from functools import cache

import pytest

from sprinkler.core import controller, safety, state

from . import model, mutants
from .scale import FLOW_ML, GOOD_MV, NOISE_ML, TICK_MS, UNKNOWN_MV, Scale, scaled
from .search import Search
from .shipped import Mind
from .views import LONG_VIEWS, VIEWS
from .world import World, broken_promises, leaked, new_board

BY_NAME = {view.name: view for view in VIEWS}


@cache
def report(name: str) -> model.Report:
    return model.prove(BY_NAME[name])


@pytest.mark.parametrize("name", BY_NAME)
def test_every_promise_holds_in_every_state(name):
    found = report(name)
    assert not found.result.broken, "\n".join(found.story)
    assert found.result.states > 1000, "to the fixpoint of something"
    assert found.roads > 0


@pytest.mark.parametrize("name", [view.name for view in VIEWS if "P1" not in view.adversary.owed])
def test_no_run_is_open_longer_than_its_grant_the_watchdogs_time_and_one_turn(name):
    found = report(name)
    assert 0 < found.result.longest <= found.view.scale.bound, "and the worst case is reached"


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("hand", {"started", "finished", "refused", "queued", "fault", "fault_cleared", "journal_closed"}),
        ("program", {"started", "resumed", "finished", "skipped", "fault"}),
        ("liar", {"started", "finished", "fault"}),
        ("leak", {"fault", "fault_cleared", "pulse_close"}),
        ("two", {"started", "resumed", "finished", "queued"}),
    ],
)
def test_the_search_goes_where_it_should(name, kinds):
    assert kinds <= set(report(name).actions)


@pytest.mark.parametrize("mutant", mutants.MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mistake_in_the_core_is_caught_with_its_story(mutant):
    with mutants.applied(mutant.name):
        found = model.prove(BY_NAME[mutant.view])
    assert found.result.broken.startswith(mutant.promise), found.result.broken or "not caught"
    assert found.story[0].lstrip().startswith("1  boots (power_on)")
    assert found.story[-1] == f"  => {found.result.broken}"


def test_two_open_valves_break_a_promise_whatever_is_written_down():
    world = World((1, 1), (0, 0), None)
    assert [words[:2] for words in broken_promises(new_board(2), world, 2)][:1] == ["P6"]
    assert not any(words.startswith("P6") for words in broken_promises(new_board(2), leaked(world, 2), 2))


def test_a_mutant_leaves_nothing_behind():
    shipped = safety.refusal, safety.open_zone
    with mutants.applied("no cap"):
        assert (safety.refusal, safety.open_zone) != shipped
    assert (safety.refusal, safety.open_zone) == shipped


def test_the_scale_leaves_nothing_behind():
    before = controller.STOP_GAP_MS, safety.QUEUE_MAX_MS
    with scaled(Scale()):
        assert before != (controller.STOP_GAP_MS, safety.QUEUE_MAX_MS)
    assert before == (controller.STOP_GAP_MS, safety.QUEUE_MAX_MS)


def test_tries_beyond_counting_change_nothing_but_their_number():
    """The one place where two states of the core are taken for one: from both, every step must do the same."""
    scale = BY_NAME["liar"].scale
    with scaled(scale):
        search = Search(scale, BY_NAME["liar"].adversary)
        minds = {node.mind for node in search.explore().nodes if hasattr(node, "mind")}
        most = max(mind.core[state.base(1) + state.TRIES] for mind in minds)
        counted = [mind for mind in minds if mind.core[state.base(1) + state.TRIES] == most]
        assert counted
        for mind in counted:
            _same_for_any_count(search, mind, most)


def _same_for_any_count(search: Search, mind: Mind, most: int) -> None:
    place = state.base(1) + state.TRIES
    for more in (most + 1, 60):
        longer = (*mind.core[:place], more, *mind.core[place + 1 :])
        for battery_mv in (GOOD_MV, UNKNOWN_MV):
            for flow_ml in (0, NOISE_ML, FLOW_ML):
                for requests in ((), (("stop", 1),), (("failed", 1),), (("clear_fault", 0),)):
                    arguments = (TICK_MS, (battery_mv, flow_ml), requests, search.shipped.limits)
                    one, actions, _ = controller.step(mind.core, *arguments)
                    other, others, _ = controller.step(longer, *arguments)
                    assert actions == others
                    assert search.shipped.settled(one) == search.shipped.settled(other)


def test_the_command_prints_states_depth_bound_and_fails_with_a_story(capsys):
    assert model.main(["--view", "leak"]) == 0
    head, row, total = capsys.readouterr().out.splitlines()
    assert head == model.HEAD
    assert row.startswith("leak ")
    assert f" of {BY_NAME['leak'].scale.bound} " in row
    assert "states" in total
    assert model.main(["--mutant", "no boot close"]) == 1
    assert "=> P1: valve 1 was open" in capsys.readouterr().out


def test_the_command_names_views_and_mutants(capsys):
    assert model.main(["--list"]) == 0
    out = capsys.readouterr().out
    for view in (*VIEWS, *LONG_VIEWS):
        assert view.name in out
    assert model.main(["--view", "no such"]) == 2
