"""How few round trips a wake takes, and what a network that fails may cost."""

import pytest

from sprinkler import protocol

from .rig import Rig

ONE_WAY_US = 50_000
ROUND_TRIP_S = 2 * ONE_WAY_US / 1e6
SLACK_S = 0.06  # for computing, on the interpreter; less than a round trip


class Wakes:
    """A sleeper on a slow network, and what its sockets do."""

    def __init__(self, **settings):
        self.rig = Rig(responsive=False, **settings)
        self.calls: list[tuple[float, str]] = []
        self.rig.board.on_boot = lambda port: setattr(port.session, "on_call", self._note)  # what each boot calls
        self.rig.run(60)
        self.acknowledge()
        self.rig.run(905)
        self.acknowledge()
        self.rig.board.network.latency_us = ONE_WAY_US
        self.calls.clear()

    def _note(self, call: str) -> None:
        self.calls.append((self.rig.now(), call))

    def acknowledge(self) -> None:
        state = self.rig.state()
        ack = {"boot_id": state["boot_id"], "event": state["event"], "sample": state["sample"]}
        self.rig.send(protocol.ACK, ack, retain=True)

    def connected_s(self) -> float:
        """From the first byte on the connection, which is CONNECT, until the board closed it."""
        sent = [at for at, call in self.calls if call == "send"]
        return sent[-1] - sent[0]

    def count(self, call: str) -> int:
        return sum(name == call for _, name in self.calls)


@pytest.fixture
def make_wakes():
    made: list[Wakes] = []

    def make(**settings) -> Wakes:
        made.append(Wakes(**settings))
        return made[-1]

    yield make
    for wakes in made:
        wakes.rig.board.stop()


def test_a_wake_with_nothing_to_do_takes_two_round_trips_after_the_tcp_connect(make_wakes):
    wakes = make_wakes()
    wakes.rig.run(905)
    assert wakes.count("connect") == 1
    assert wakes.connected_s() == pytest.approx(2 * ROUND_TRIP_S, abs=SLACK_S)
    assert wakes.rig.said(protocol.AVAILABILITY)[-1]["state"] == "asleep"
    assert wakes.rig.state()["wake_at"] == wakes.rig.said(protocol.AVAILABILITY)[-1]["until"]


def test_four_zones_take_no_more_round_trips_than_one(make_wakes):
    wakes = make_wakes(zones=4)
    wakes.rig.run(905)
    assert wakes.connected_s() == pytest.approx(2 * ROUND_TRIP_S, abs=SLACK_S)


def test_a_wake_with_queued_commands_takes_one_round_trip_more(make_wakes):
    wakes = make_wakes()
    late = int(wakes.rig.now()) + 1000
    ids = [wakes.rig.command("clear_fault", zone=zone, expires_at=late) for zone in (1, 2)]
    wakes.rig.run(905)
    assert all(wakes.rig.reply(each)["accepted"] for each in ids)
    lingered_s = 0.6  # for more, after the last answer
    assert wakes.connected_s() <= 3 * ROUND_TRIP_S + lingered_s + SLACK_S
    assert [a["state"] for a in wakes.rig.said(protocol.AVAILABILITY)[-2:]] == ["online", "asleep"]


def test_a_wake_with_nothing_to_do_never_says_that_it_came(make_wakes):
    wakes = make_wakes()
    before = len(wakes.rig.said(protocol.AVAILABILITY))
    wakes.rig.run(2 * 905)
    assert [a["state"] for a in wakes.rig.said(protocol.AVAILABILITY)[before:]] == ["asleep", "asleep"]


def test_a_command_that_came_after_the_good_bye_is_carried_out_and_taken_into_the_next_one(make_wakes):
    wakes = make_wakes()
    rig = wakes.rig
    told = len(rig.said(protocol.AVAILABILITY))
    rig.broker.subscribe(
        rig.topic(protocol.AVAILABILITY),
        lambda message: b"asleep" in message.payload and not rig.moves and rig.command("run", zone=1, run_time_s=30),
    )
    rig.run(1000)
    assert rig.opened_s() == pytest.approx(30, abs=1)
    assert [a["state"] for a in rig.said(protocol.AVAILABILITY)[told:]] == ["asleep", "online", "asleep"]


def test_a_program_that_comes_with_the_queue_is_waited_for(make_wakes):
    wakes = make_wakes()
    rig = wakes.rig
    program = {"id": 1, "zone": 1, "weekdays": list(range(7)), "start_min": 8 * 60 + 36, "run_time_s": 30}
    rig.desired(programs=[program], tz_rule="UTC0")
    rig.run(1300)
    assert rig.opened_s() == pytest.approx(30, abs=1)


def test_a_sleeper_without_the_time_asks_home_assistant_before_it_goes(make_wakes):
    wakes = make_wakes()
    wakes.rig.board.network.ntp_on = False
    wakes.rig.run(915)
    assert len(wakes.rig.said(protocol.TIME_REQUEST)) >= 1


def test_the_radio_never_opens_an_access_point_and_a_wake_writes_no_flash_of_the_sdk(make_wakes):
    wakes = make_wakes()
    written = wakes.rig.board.chip.sdk_flash_writes
    wakes.rig.run(4 * 905)
    assert wakes.rig.board.chip.sdk_flash_writes == written
    assert wakes.rig.board.chip.sdk_access_point is False
