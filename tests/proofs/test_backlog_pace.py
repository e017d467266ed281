"""How much of its flash a board reads in one turn, during which no valve can be closed. By the firmware on CPython: it counts what the port is asked."""

import pytest

from sim.port.files import OsModule
from sprinkler import app, backlog
from tests.firmware.folder import Flash, fill
from tests.firmware.rig import Rig
from tests.firmware.test_backlog import acknowledge_everything


@pytest.mark.parametrize("boots", [1, 16, 40])
def test_a_full_folder_keeps_no_turn_for_long(monkeypatch, boots):
    flash = Flash()
    fill(flash, boots)
    assert len(flash.files) == backlog.SAMPLE_SEGMENTS + backlog.EVENT_SEGMENTS
    rig = Rig()
    rig.settle()
    rig.broker.stop()
    rig.board.chip.flash.files.update(flash.files)
    rig.board.power_cut()
    work = {"entries": 0, "opens": 0, "turns": []}
    listed, opened, turned = OsModule.ilistdir, OsModule.stat, app.turn

    def ilistdir(self, path="/"):
        found = listed(self, path)
        work["entries"] += len(found)
        return found

    def stat(self, path):
        work["opens"] += 1  # a segment's size is asked for where its head is read
        return opened(self, path)

    def turn(running):
        work["entries"] = work["opens"] = 0
        ms = turned(running)
        work["turns"].append((work["entries"], work["opens"]))
        return ms

    monkeypatch.setattr(OsModule, "ilistdir", ilistdir)
    monkeypatch.setattr(OsModule, "stat", stat)
    monkeypatch.setattr(app, "turn", turn)
    rig.run(20)
    rig.broker.start()
    acknowledge_everything(rig)
    rig.run(60)
    rig.command("run", zone=1, run_time_s=300)
    rig.run(400)
    assert [name for name in rig.board.chip.flash.files if "backlog" in name] == []
    assert max(entries for entries, _ in work["turns"]) <= 8 * 81  # eight looks at the folder
    assert max(opens for _, opens in work["turns"]) <= 90  # one at each segment
    rig.board.stop()
