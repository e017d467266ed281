"""What a board prints when it crashes can be read."""

import io
import json
import re
import sys

import pytest

from sim.broker import Broker
from sim.port import Port
from sim.remote import RemoteBoard
from tools.micropython import traceback
from tools.micropython.package import build, meanings


def poison(port: Port) -> None:
    """Reading the signal's strength raises what nobody expects."""

    def call(name: str) -> None:
        if name == "wlan.status":
            raise AttributeError("poison")

    port.session.on_call = call


def test_a_real_boards_traceback_names_the_functions_of_the_sources():
    with RemoteBoard(build=build(), broker=Broker()) as board:
        board.raise_crashes = False
        board.on_boot = poison
        board.run_for(8)
        printed = board.text
    assert ", in turn\n" not in printed, "names are short on a board"
    text = traceback.restored(meanings(), printed)
    called = [name.split(" or ")[0] for name in re.findall(r", in (.*)", text)[:2]]
    assert called == ["<module>", "Link.rssi_dbm"], "by its line: it is written in the function that calls it"
    assert "AttributeError: poison" in text


def test_an_error_of_our_own_gets_its_name_back():
    short = next(short for short, meant in meanings().items() if "errors.LinkError" in meant)
    told = f'Traceback (most recent call last):\n  File "sprinkler.app", line 1, in {short}\n{short}: silent\n>>> \n'
    restored = traceback.restored({short: ["errors.LinkError"]}, told)
    assert restored.splitlines()[2:] == ["LinkError: silent", ">>> "]


def test_an_error_of_the_interpreter_keeps_its_name():
    told = 'Traceback (most recent call last):\n  File "sprinkler.app", line 1, in run\nValueError: no\n'
    assert traceback.restored({"ValueError": ["Board.rtc_load"]}, told).splitlines()[2] == "ValueError: no"


def test_what_is_no_traceback_stays_as_it_is():
    text = "x: 1\n  in x\nTraceback of x\n"
    assert traceback.restored({"x": ["App.run"]}, text) == text


def test_a_map_is_written_and_read(tmp_path, monkeypatch, capsys):
    path = tmp_path / "map.json"
    assert traceback.main([str(path), "--write"]) == 0
    assert json.loads(path.read_text()) == meanings()
    short = next(short for short, meant in meanings().items() if "turning.turn" in meant)
    monkeypatch.setattr(sys, "stdin", io.StringIO(f'  File "sprinkler.app", line 1, in {short}\n'))
    assert traceback.main([str(path)]) == 0
    assert "turning.turn" in capsys.readouterr().out


def test_a_map_that_is_none_is_refused_in_one_line(tmp_path, capsys):
    path = tmp_path / "map.json"
    path.write_text("{")
    assert traceback.main([str(path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    with pytest.raises(SystemExit):
        traceback.main(["--write"])
