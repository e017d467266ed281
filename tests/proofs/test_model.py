"""The short form of the proof: every view holds, reaches what it is about, and can fail."""

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest

from sprinkler.core import controller, safety, state
from tests.proofs import model, mutants
from tests.proofs.scale import FLOW_ML, GOOD_MV, NOISE_ML, TICK_MS, UNKNOWN_MV, Scale, scaled
from tests.proofs.search import Search
from tests.proofs.shipped import Mind
from tests.proofs.views import LONG_VIEWS, VIEWS
from tests.proofs.world import World, broken_promises, leaked, new_board

pytestmark = pytest.mark.timeout(600)  # a search that shares its processor with others is slow, not hanging
BY_NAME = {view.name: view for view in VIEWS}


type Reports = Callable[[str], model.Report]


@pytest.fixture(scope="module")
def reports() -> Iterator[tuple[Reports, Reports]]:
    """The reports of the views and of the mutants by name, made on all processors while the tests take them one by one."""
    with ProcessPoolExecutor(os.process_cpu_count(), max_tasks_per_child=8) as pool:
        views = {name: pool.submit(model.prove_apart, view) for name, view in BY_NAME.items()}
        spoiled = {m.name: pool.submit(model.prove_apart, BY_NAME[m.view], m.name) for m in mutants.MUTANTS}
        yield lambda name: views[name].result(), lambda name: spoiled[name].result()
        pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="module")
def report(reports: tuple[Reports, Reports]) -> Reports:
    return reports[0]


@pytest.fixture(scope="module")
def spoiled(reports: tuple[Reports, Reports]) -> Reports:
    return reports[1]


@pytest.mark.parametrize("name", BY_NAME)
def test_every_promise_holds_in_every_state(report, name):
    found = report(name)
    assert not found.result.broken, "\n".join(found.story)
    assert found.result.states > 1000, "to the fixpoint of something"
    assert found.roads > 0


@pytest.mark.parametrize("name", [view.name for view in VIEWS if "P1" not in view.adversary.owed])
def test_no_run_is_open_longer_than_its_grant_the_watchdogs_time_and_one_turn(report, name):
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
def test_the_search_goes_where_it_should(report, name, kinds):
    assert kinds <= set(report(name).actions)


@pytest.mark.parametrize("mutant", mutants.MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mistake_in_the_core_is_caught_with_its_story(spoiled, mutant):
    found = spoiled(mutant.name)
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
                for requests in ((), (("stop", 1),), (("failed", 1, "storage"),), (("clear_fault", 0),)):
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
    assert "depth" in total
    assert model.main(["--mutant", "no boot close"]) == 1
    assert "=> P1: valve 1 was open" in capsys.readouterr().out


def test_the_commands_figures_are_there_for_a_program(capsys):
    assert model.main(["--view", "expander", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["states"] == told["views"][0]["states"] > 1000
    assert told["views"][0]["overrun"] <= told["views"][0]["bound"]
    assert told["views"][0]["broken"] == ""


def test_the_command_names_views_and_mutants(capsys):
    assert model.main(["--list"]) == 0
    out = capsys.readouterr().out
    for view in (*VIEWS, *LONG_VIEWS):
        assert view.name in out
    assert model.main(["--view", "no such"]) == 2
