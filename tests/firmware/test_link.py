"""How few round trips a wake takes, and what a network that fails may cost."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import dns
from sim.port import PWRON_RESET, SOFT_RESET
from sim.provision import Settings
from sprinkler import names, protocol
from sprinkler.errors import LinkError

from .rig import Rig

ONE_WAY_US = 50_000
ROUND_TRIP_S = 2 * ONE_WAY_US / 1e6
SLACK_S = 0.06  # for computing, on the interpreter; less than a round trip


class Wakes:
    """A sleeper on a slow network, and what its sockets do."""

    def __init__(self, names=False, **settings):
        self.rig = Rig(responsive=False, **settings)
        if names:
            self.rig.board.network.names = {BROKER_NAME: Settings().broker_host, TIME_NAME: "192.168.4.9"}
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


BROKER_NAME, TIME_NAME = "broker.lawn.example", "time.lawn.example"


@pytest.fixture
def named():
    """A board that was given names, in a network whose name server knows them."""
    rig = Rig(broker_host=BROKER_NAME, ntp_host=TIME_NAME)
    rig.board.network.names = {BROKER_NAME: Settings().broker_host, TIME_NAME: "192.168.4.9"}
    yield rig
    rig.board.stop()


def note_calls(rig):
    rig.calls = []
    rig.board.on_boot = lambda port: setattr(port.session, "on_call", lambda call: rig.calls.append((rig.now(), call)))


def test_a_name_of_broker_and_time_server_is_looked_up(named):
    named.settle()
    assert named.state()["clock"] == "set"


def test_an_address_that_is_known_is_not_asked_for_again_at_a_wake(make_wakes):
    wakes = make_wakes(broker_host=BROKER_NAME, ntp_host=TIME_NAME, names=True)
    wakes.rig.run(905)
    assert wakes.count("sendto") == 1, "the time alone"
    assert wakes.connected_s() == pytest.approx(2 * ROUND_TRIP_S, abs=SLACK_S)


def test_a_broker_that_moved_is_found_again(named):
    named.settle()
    named.broker.stop()
    named.board.network.hosts.add("192.168.4.77")
    named.board.network.names[BROKER_NAME] = "192.168.4.77"
    port = Settings().broker_port
    named.run(30)
    serve = named.broker.start
    serve()
    named.board.network.listen("192.168.4.77", port, named.board.network.listeners.pop((Settings().broker_host, port)))
    before = len(named.said(protocol.STATE))
    named.run(90)
    assert len(named.said(protocol.STATE)) > before


def test_a_silent_name_server_costs_a_board_that_knows_the_address_one_second(named):
    named.settle()
    named.board.network.dns_on = False
    before = len(named.said(protocol.STATE))
    named.board.reset_now(SOFT_RESET)
    named.run(15)
    assert len(named.said(protocol.STATE)) > before


def test_a_board_that_cannot_resolve_its_broker_waters_and_ends_its_wake():
    rig = Rig(responsive=False, broker_host=BROKER_NAME, ntp_host="")
    rig.run(70)
    assert rig.board.session is None, "asleep"
    assert rig.board.boots == [PWRON_RESET]
    rig.board.stop()


def test_an_unreachable_broker_is_tried_ever_more_rarely_and_not_in_step():
    rig = Rig()
    note_calls(rig)
    rig.settle()
    rig.board.network.refuses = True
    rig.broker.drop("sprinkler-" + rig.board.device_id)
    rig.calls.clear()
    rig.run(600)
    tries = [at for at, call in rig.calls if call == "connect"]
    pauses = [b - a for a, b in pairwise(tries)]
    assert 8 <= len(tries) <= 20
    assert pauses[0] < 4
    assert all(60 <= pause <= 92 for pause in pauses[-4:])
    assert len({round(pause) for pause in pauses[-4:]}) > 1, "with jitter"
    rig.board.stop()


@pytest.mark.parametrize("host", ["1.2.3.4", "255.255.255.255"])
def test_a_numeric_address_is_no_name(host):
    assert list(names.numeric(host)) == [int(part) for part in host.split(".")]


@pytest.mark.parametrize(
    "host", ["", "1.2.3", "1.2.3.256", "1.2.3.4.5", "a.b.c.d", "1.2.3.-4", "1.2.3.0004", "localhost"]
)
def test_what_is_no_numeric_address_is_a_name(host):
    assert names.numeric(host) is None


def test_an_answer_counts_for_its_own_question():
    answer = dns.answer(names.question("a.example", 1), {"a.example": "10.0.0.7"})
    assert names.answer(answer, 1) == bytes((10, 0, 0, 7))
    assert names.answer(answer, 0) is None


def test_a_name_that_does_not_exist_has_no_address():
    assert names.answer(dns.answer(names.question("b.example", 0), {}), 0) is None


def test_an_answer_that_is_cut_off_is_none():
    answer = dns.answer(names.question("a.example", 0), {"a.example": "10.0.0.7"})
    for end in range(len(answer)):
        assert names.answer(answer[:end], 0) is None


@given(st.binary(max_size=80))
def test_noise_from_a_name_server_is_an_address_or_none(data):
    found = names.answer(b"\0\0\x80\0" + data, 0)
    assert found is None or len(found) == 4


@pytest.mark.parametrize("name", ["", "a..b", "x" * 64, "."])
def test_what_can_be_no_name_is_not_asked_for(name):
    with pytest.raises(LinkError):
        names.question(name, 0)


@pytest.mark.parametrize("error_s", [-40, 40])
def test_a_clock_that_was_wrong_after_a_sleep_costs_no_round_trip(make_wakes, error_s):
    wakes = make_wakes()
    wakes.rig.board.network.ntp_error_s = error_s
    wakes.rig.run(905)
    assert wakes.connected_s() == pytest.approx(2 * ROUND_TRIP_S, abs=SLACK_S)
    assert wakes.rig.said(protocol.AVAILABILITY)[-1]["state"] == "asleep"
