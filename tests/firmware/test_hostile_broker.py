"""The whole firmware on brokers that mean no good: each case is held against the same five promises."""

import random

import pytest

from sim import mqtt
from sprinkler import protocol
from sprinkler.link import Link

from .mean import CASES, Case, Mean
from .rig import Rig

RUN_S = 30
WITHIN_S = 110  # the longest pause between two tries, with its jitter, and the patience with a silent broker
HELD_MAX = 2560 + 256 + 1024 + 16  # one message in, some of one out, and what waits behind that (joining.py, link.py)


class Held:
    """The most that the link ever held at the end of a step."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.most = self.in_flight = self.requests = 0
        service = Link.service

        def measured(link: Link) -> None:
            service(link)
            packet = link.decoder._packet if link.decoder is not None else None
            behind = sum(len(part if isinstance(part, bytes) else part[1]) for part in link._behind)
            self.most = max(self.most, len(link.out) + behind + len(packet or b""))
            self.in_flight = max(self.in_flight, len(link.in_flight))
            self.requests = max(self.requests, len(link._hear.__self__.requests))

        monkeypatch.setattr(Link, "service", measured)


def turn_mean(rig: Rig, case: Case) -> Mean:
    """In the broker's place there is another one."""
    broker, mean = rig.broker, Mean(rig.board.network, case)
    broker.stop()
    rig.board.network.listen(broker.host, broker.port, mean.accept)
    return mean


def turn_sane(rig: Rig, mean: Mean) -> None:
    """The broker is back. Whom the mean one still holds must notice it, unless that one simply was killed."""
    if mean.case.keeps:
        mean.die()
    rig.broker.start()


@pytest.fixture
def rigs():
    rigs: list[Rig] = []

    def make(**arguments) -> Rig:
        rigs.append(Rig(**arguments))
        return rigs[-1]

    yield make
    for rig in rigs:
        rig.board.stop()


@pytest.mark.parametrize("name", CASES)
def test_a_mean_broker_delays_no_closing_fills_no_heap_and_is_left_for_a_sane_one(rigs, monkeypatch, name):
    held = Held(monkeypatch)
    rig = rigs(zones=2)
    rig.settle()
    rig.command("run", zone=1, run_time_s=RUN_S)
    rig.run(3)
    assert rig.open_zones() == [1]
    mean = turn_mean(rig, CASES[name])
    rig.run(RUN_S + 10)
    assert rig.opened_s() == pytest.approx(RUN_S, abs=1), "on time, and nothing else was opened"
    rig.run(20)
    assert (mean.came == 1) == CASES[name].keeps, f"the board came {mean.came} times"
    assert held.most <= HELD_MAX
    assert held.in_flight <= 9
    turn_sane(rig, mean)
    rig.run(WITHIN_S)
    answer = rig.command("identify")
    rig.run(2)
    assert rig.reply(answer)["accepted"]
    assert rig.events("run_finished")[0]["result"] == "completed"
    assert rig.opened_s() == pytest.approx(RUN_S, abs=1)
    assert len(rig.board.boots) == 1
    assert not rig.board.crashes


@pytest.mark.parametrize("name", CASES)
def test_a_sleeper_goes_to_sleep_on_a_mean_broker_within_its_budget_and_is_heard_at_the_next_wake(rigs, name):
    rig = rigs(responsive=False)
    rig.run(60)
    mean = turn_mean(rig, CASES[name])
    rig.run(905)
    awake_s = 0
    while rig.board.session is not None:
        rig.run(1)
        awake_s += 1
        assert awake_s <= 60
    assert mean.came >= 1
    turn_sane(rig, mean)
    told = len(rig.said(protocol.STATE))
    rig.run(1000)
    assert len(rig.said(protocol.STATE)) > told
    assert not rig.board.crashes


def test_there_are_more_than_twenty_five_mean_brokers():
    assert len(CASES) >= 25


def test_packet_ids_go_on_with_1_after_65535_and_nothing_is_said_twice(rigs, monkeypatch):
    ids: list[int] = []
    begin = Link.__init__
    monkeypatch.setattr(
        Link, "__init__", lambda link, *rest: (begin(link, *rest), setattr(link, "packet_id", 65530))[0]
    )
    take = mqtt.parse_publish

    def note(flags: int, body: bytes) -> mqtt.Publish:
        heard = take(flags, body)
        ids.append(heard.packet_id)
        return heard

    monkeypatch.setattr(mqtt, "parse_publish", note)
    rig = rigs()
    rig.settle()
    for _ in range(4):
        answer = rig.command("identify")
        rig.run(2)
        assert rig.reply(answer)["accepted"]
    wrapped = ids.index(65535)
    assert ids[wrapped + 1 : wrapped + 4] == [1, 2, 3]
    assert 0 not in ids


@pytest.mark.parametrize("present", [False, True])
@pytest.mark.parametrize("cold", [False, True])
def test_whatever_the_broker_remembers_the_board_hears_its_settings_and_its_commands(rigs, cold, present):
    rig = rigs()
    rig.settle()
    rig.broker.stop(keep=present)
    if cold:
        rig.board.power_cut()
    rig.run(5)
    rig.broker.start()
    rig.desired(4, seasonal_adjust_pct=50)
    rig.run(100)
    assert rig.state()["desired_version"] == 4
    answer = rig.command("identify")
    rig.run(2)
    assert rig.reply(answer)["accepted"]


def test_after_a_restart_of_the_broker_commands_are_heard_within_five_seconds(rigs):
    """On a clock of its own, so that it is the firmware's time; on real sockets: python -m bench.restart."""
    rig = rigs()
    rig.settle()
    chance = random.Random(5)
    times_s = []
    for number in range(60):
        rig.broker.stop(keep=number % 2 == 0)
        rig.run(chance.uniform(0.1, 2))
        rig.broker.start()
        back_s = rig.now()
        while not rig.broker.connected("sprinkler-5a17e001"):
            rig.run(0.1)
            assert rig.now() - back_s < 6
        rig.run(0.1)  # it subscribes again
        answer = rig.command("identify")
        rig.run(0.2)
        assert rig.reply(answer)["accepted"]
        times_s.append(rig.now() - back_s)
        rig.run(chance.uniform(2, 8))
    assert max(times_s) <= 5


def test_a_late_acknowledgement_frees_its_own_message_and_no_other(rigs):
    rig = rigs()
    rig.settle()
    late: list[int] = []

    def puback_of_the_one_before(packet_id: int) -> bytes:
        late.append(packet_id)
        return b"".join(mqtt.packet(mqtt.PUBACK, 0, number.to_bytes(2, "big")) for number in late[-2:-1])

    mean = turn_mean(rig, Case(puback=puback_of_the_one_before, every=b"\xd0\x00", keeps=True))
    rig.run(60)
    assert len(late) >= 4, "it went on"
    turn_sane(rig, mean)
    rig.run(30)
    answer = rig.command("identify")
    rig.run(2)
    assert rig.reply(answer)["accepted"]


def test_answers_to_what_was_answered_long_ago_keep_no_dead_link(rigs):
    rig = rigs()
    rig.settle()
    mean = turn_mean(rig, CASES["acknowledges for ever what it acknowledged long ago"])
    rig.run(40)
    assert mean.came > 1
    turn_sane(rig, mean)
    rig.run(WITHIN_S)
    answer = rig.command("identify")
    rig.run(2)
    assert rig.reply(answer)["accepted"]
