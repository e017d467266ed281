"""The controller and safety, step by step. Bare asserts and no imports but the core: the same file runs on the board's interpreter."""

from sprinkler.core import controller, safety, state
from sprinkler.core.safety import CHECKPOINT_MS, HAS_FLOW, LIMITS

FULL_MV = 4000
NO_METER = LIMITS[:HAS_FLOW] + (0,) + LIMITS[HAS_FLOW + 1 :]


class Bench:
    """A controller with a valve for each zone and a meter that tells the truth, driven in steps of half a second."""

    def __init__(self, zones=2, limits=LIMITS, first=None):
        self.limits = limits
        zones = state.zones(first) if first else zones
        self.state = first or controller.asleep(zones, [0] * zones, limits)
        self.valves = [0] * zones  # 1: water runs
        self.stuck = [0] * zones  # closing pulses that this valve will swallow
        self.battery_mv = FULL_MV
        self.dry = False
        self.log = []
        self.open_ms = [0] * zones

    def step(self, *requests, ms=500):
        flow_ml = 0
        for i, valve in enumerate(self.valves):
            if valve:
                self.open_ms[i] += ms
                flow_ml += 0 if self.dry else ms // 10
        self.state, actions, due_ms = controller.step(self.state, ms, (self.battery_mv, flow_ml), requests, self.limits)
        for action in actions:
            if action[0] == "pulse_open":
                self.valves[action[1] - 1] = 1
            elif action[0] == "pulse_close":
                if self.stuck[action[1] - 1]:
                    self.stuck[action[1] - 1] -= 1
                else:
                    self.valves[action[1] - 1] = 0
            self.log.append(action)
        assert due_ms > 0
        return actions

    def run(self, seconds):
        for _ in range(seconds * 2):
            self.step()

    def field(self, zone, field):
        return self.state[state.base(zone) + field]

    def logged(self, kind):
        return [action for action in self.log if action[0] == kind]


def run_request(zone, seconds, program=0):
    return ("run", zone, seconds * 1000, program)


def test_a_run_opens_after_the_journal_and_closes_on_time():
    b = Bench()
    actions = b.step(run_request(1, 10))
    assert actions == [("journal_open", 1), ("pulse_open", 1), ("started", 1), ("accepted", 0)], actions
    b.run(30)
    assert b.valves == [0, 0]
    assert 10000 <= b.open_ms[0] <= 10500, b.open_ms
    assert b.logged("finished") == [("finished", 1, 0, "completed", 10000)], b.log
    assert b.field(1, state.PHASE) == "closed"
    assert b.field(1, state.EVIDENCE) == "verified"


def test_closed_is_journalled_only_after_the_evidence():
    b = Bench()
    b.step(run_request(1, 5))
    b.run(30)
    kinds = [action[0] for action in b.log]
    assert kinds.index("pulse_close") < kinds.index("journal_closed") < kinds.index("finished")


def test_a_repeat_never_extends_a_run():
    b = Bench()
    b.step(run_request(1, 10))
    b.run(5)
    assert ("refused", 0, "busy") in b.step(run_request(1, 7200))
    b.run(20)
    assert b.open_ms[0] <= 10500, b.open_ms


def test_a_run_beyond_the_cap_is_refused():
    b = Bench()
    assert b.step(("run", 1, safety.CAP_MS + 1, 0)) == [("refused", 0, "over_cap")]


def test_no_limit_can_raise_the_compiled_in_cap():
    b = Bench(limits=(10 * safety.CAP_MS,) + LIMITS[1:])
    assert ("refused", 0, "over_cap") in b.step(("run", 1, safety.CAP_MS + 1, 0))


def test_a_run_shorter_than_the_shortest_is_refused():
    assert Bench().step(("run", 1, 4999, 0)) == [("refused", 0, "under_min")]


def test_run_and_stop_in_one_step_move_nothing():
    b = Bench()
    actions = b.step(run_request(1, 60), ("stop", 1))
    assert not b.logged("pulse_open"), actions
    assert b.valves == [0, 0]


def test_stop_closes_the_zone_and_cancels_its_queue():
    b = Bench()
    b.step(run_request(1, 60))
    assert ("queued", 0) in b.step(run_request(2, 60))
    b.step(("stop", 0))
    b.run(60)
    assert b.valves == [0, 0]
    assert b.open_ms[1] == 0
    assert ("skipped", 2, 0, "requested") in b.log
    assert b.logged("finished")[0][3] == "requested"


def test_stop_of_one_zone_leaves_the_other_queued():
    b = Bench()
    b.step(run_request(1, 60))
    b.step(run_request(2, 10))
    b.step(("stop", 1))
    b.run(30)
    assert b.open_ms[1] >= 10000


def test_a_bare_stop_closes_and_leaves_the_queue_alone():
    b = Bench()
    b.step(run_request(1, 60))
    b.step(run_request(2, 10))
    b.step(("bare_stop",))
    assert b.valves[0] == 0
    b.run(40)
    assert b.open_ms[1] >= 10000


def test_a_bare_stop_fires_no_pulse_at_verified_valves():
    b = Bench()
    assert b.step(("bare_stop",)) == [("accepted", 0)]


def test_bare_stops_pulse_an_assumed_valve_once_a_minute():
    b = Bench(zones=1, limits=NO_METER)
    b.step(run_request(1, 5))
    b.run(60)
    b.log = []
    for _ in range(20):
        b.step(("bare_stop",))
    assert len(b.logged("pulse_close")) == 1 + 2, b.log  # one closing, with its two more pulses for want of a meter


def test_zones_wait_for_each_other_in_zone_order():
    b = Bench(zones=3)
    b.step(run_request(3, 10), run_request(2, 10), run_request(1, 10))
    started = []
    for _ in range(120):
        b.step()
        assert sum(b.valves) <= 1, "two valves at a time"
    started = [action[1] for action in b.log if action[0] == "started"]
    assert started == [1, 2, 3], started


def test_opening_is_refused_below_the_voltage_that_closes_again():
    b = Bench()
    b.battery_mv = LIMITS[safety.OPEN_MV] - 1
    assert b.step(run_request(1, 60)) == [("refused", 0, "low_battery")]


def test_an_unknown_battery_forbids_opening():
    b = Bench()
    b.battery_mv = 0
    assert ("refused", 0, "low_battery") in b.step(run_request(1, 60))
    assert ("fault", 0, "low_battery") in b.log


def test_an_open_valve_is_closed_while_the_battery_still_can():
    b = Bench()
    b.step(run_request(1, 600))
    b.run(5)
    b.battery_mv = LIMITS[safety.CLOSE_MV] - 1
    b.step()
    assert b.valves[0] == 0
    b.run(20)
    assert b.logged("finished")[0][3] == "low_battery"


def test_low_battery_clears_only_at_the_opening_voltage():
    b = Bench()
    b.battery_mv = LIMITS[safety.CLOSE_MV] - 1
    b.step()
    b.battery_mv = LIMITS[safety.OPEN_MV] - 1
    b.step()
    assert not b.logged("fault_cleared")
    b.battery_mv += 1
    b.step()
    assert b.logged("fault_cleared") == [("fault_cleared", 0, "low_battery")]


def test_open_without_flow_trips_and_says_so():
    b = Bench()
    b.dry = True
    b.step(run_request(1, 600))
    b.run(60)
    assert b.valves[0] == 0
    assert b.open_ms[0] <= LIMITS[safety.NO_FLOW_MS] + 1000
    assert ("fault", 1, "no_flow") in b.log
    b.dry = False
    b.step(run_request(1, 10))
    b.run(5)
    assert ("fault_cleared", 1, "no_flow") in b.log


def test_a_valve_that_swallows_pulses_is_pulsed_again():
    b = Bench()
    b.stuck[0] = 2
    b.step(run_request(1, 10))
    b.run(60)
    assert b.valves[0] == 0
    assert len(b.logged("pulse_close")) == 3
    assert not b.logged("fault")


def test_a_stuck_valve_is_a_fault_and_is_pulsed_for_ever():
    b = Bench()
    b.stuck[0] = 1000000
    b.step(run_request(1, 10))
    b.run(600)
    assert ("fault", 1, "leak") in b.log
    before = len(b.logged("pulse_close"))
    b.run(600)
    assert len(b.logged("pulse_close")) >= before + 9
    assert ("refused", 0, "lockout") in b.step(run_request(1, 60))
    b.stuck[0] = 0
    b.run(120)
    assert b.field(1, state.PHASE) == "closed"
    assert ("refused", 0, "lockout") in b.step(run_request(1, 60)), "a lockout stays until a person clears it"
    b.step(("clear_fault", 1))
    assert ("accepted", 0) in b.step(run_request(1, 60))


def test_water_that_goes_on_after_a_run_may_be_another_valves():
    b = Bench()
    b.step(run_request(1, 10))
    b.run(5)
    b.valves[1] = 1  # opened by something else
    b.run(120)
    assert b.valves == [0, 0]
    assert b.field(1, state.PHASE) == b.field(2, state.PHASE) == "closed"
    assert ("fault", 1, "leak") in b.log


def test_a_hang_is_an_overrun_and_closes_at_the_next_step():
    b = Bench()
    b.step(run_request(1, 10))
    b.step(ms=10000 + LIMITS[CHECKPOINT_MS])
    assert b.valves[0] == 0
    assert ("fault", 1, "overrun") in b.log


def test_water_while_all_is_closed_closes_everything_again():
    b = Bench()
    b.valves[1] = 1  # someone opened it by hand
    b.run(10)
    assert b.valves == [0, 0]
    assert ("fault", 2, "leak") in b.log
    b.run(30)
    assert b.field(2, state.PHASE) == "closed"


def test_a_drop_now_and_then_is_no_leak():
    s = controller.asleep(1, [0], LIMITS)
    for _ in range(50):
        s, actions, _ = controller.step(s, 61000, (FULL_MV, 2), (), LIMITS)
        assert actions == []
        s, actions, _ = controller.step(s, 61000, (FULL_MV, 0), (), LIMITS)


def test_after_a_boot_no_valve_is_believed_closed_without_evidence():
    b = Bench(first=controller.booted(2, [0, 0], None, "power_on", LIMITS))
    assert ("queued", 0) in b.step(run_request(1, 10))
    b.run(10)
    assert b.logged("journal_closed")[:2] == [("journal_closed", 1), ("journal_closed", 2)]
    assert b.valves[0] == 1, "what was asked for meanwhile then starts"


def test_a_reset_ends_the_opening_and_says_why():
    b = Bench(first=controller.booted(2, [0, 0], (1, 3, 600000, 100000, 0), "power_on", LIMITS))
    b.run(20)
    assert b.open_ms == [0, 0]
    assert b.logged("finished") == [("finished", 1, 3, "reset", 100000 + LIMITS[CHECKPOINT_MS])]


def test_a_program_run_resumes_once_after_a_watchdog_reset():
    b = Bench(first=controller.booted(1, [0], (1, 3, 600000, 100000, 0), "watchdog", LIMITS))
    b.run(20)
    assert b.valves == [1]
    assert b.logged("resumed") == [("resumed", 1)]
    b.run(600)
    assert b.valves == [0]
    assert 100000 + b.open_ms[0] <= 600000, "open time is summed over all boots"
    b = Bench(first=controller.booted(1, [0], (1, 3, 600000, 200000, 1), "watchdog", LIMITS))
    b.run(20)
    assert b.open_ms == [0]


def test_a_resume_waits_until_every_zone_is_verified():
    b = Bench(first=controller.booted(3, [0, 0, 0], (1, 3, 600000, 100000, 0), "watchdog", LIMITS))
    b.run(20)
    assert b.valves == [1, 0, 0]


def test_a_stop_that_comes_before_the_resume_ends_the_run():
    for stop in (("stop", 1), ("stop", 0), ("bare_stop",)):
        b = Bench(first=controller.booted(1, [0], (1, 3, 600000, 100000, 0), "watchdog", LIMITS))
        b.run(2)
        b.step(stop)
        b.run(30)
        assert b.open_ms == [0], stop
        assert b.logged("finished")[0][3] == "requested"


def test_a_run_by_hand_never_resumes():
    b = Bench(first=controller.booted(1, [0], (1, 0, 600000, 100000, 0), "watchdog", LIMITS))
    b.run(20)
    assert b.open_ms == [0]


def test_nothing_resumes_after_power_on_or_on_a_low_battery():
    b = Bench(first=controller.booted(1, [0], (1, 3, 600000, 100000, 0), "power_on", LIMITS))
    b.run(20)
    assert b.open_ms == [0]
    b = Bench(first=controller.booted(1, [0], (1, 3, 600000, 100000, 0), "watchdog", LIMITS))
    b.battery_mv = LIMITS[safety.OPEN_MV] - 1
    b.run(20)
    assert b.open_ms == [0]


def test_without_a_meter_closed_is_assumed_after_three_pulses():
    b = Bench(zones=1, limits=NO_METER)
    b.step(run_request(1, 10))
    b.run(60)
    assert b.field(1, state.EVIDENCE) == "assumed"
    assert len(b.logged("pulse_close")) == 3


def test_a_failed_journal_closes_what_may_be_open():
    b = Bench(zones=1)
    b.step(run_request(1, 60))
    b.step(("failed", 1, "storage"))
    assert b.valves == [0]
    b.run(20)
    assert b.logged("finished")[0][3] == "storage"


def test_an_opening_pulse_that_did_not_get_out_ends_the_run_and_says_why():
    b = Bench(zones=1)
    b.step(run_request(1, 60))
    b.step(("failed", 1, "sensor"))
    b.run(20)
    assert b.logged("finished")[0][3] == "sensor"


def test_a_closing_pulse_that_did_not_get_out_counts_for_nothing():
    b = Bench(zones=1, limits=NO_METER)
    b.step(run_request(1, 5))
    b.run(5)
    for _ in range(5):
        b.step(("failed", 1, "storage"))
        b.run(10)
    assert b.field(1, state.PHASE) != "closed"
    b.run(120)
    assert b.field(1, state.PHASE) == "closed"


def test_a_latched_fault_survives_a_sleep():
    s = controller.asleep(1, [state.LEAK | state.LOCKOUT], LIMITS)
    _, actions, _ = controller.step(s, 500, (FULL_MV, 0), (run_request(1, 60),), LIMITS)
    assert actions == [("refused", 0, "lockout")]


def test_the_state_is_flat_and_small():
    b = Bench(zones=4)
    b.step(run_request(2, 60))
    for value in b.state:
        assert isinstance(value, (int, str))
        assert not isinstance(value, int) or -(1 << 30) <= value < 1 << 30


def test_a_board_with_a_queue_or_an_open_valve_is_not_idle():
    b = Bench()
    assert controller.idle(b.state)
    b.step(run_request(1, 10))
    assert not controller.idle(b.state)


def test_a_cut_closes_what_is_open_for_its_reason_and_nothing_else():
    b = Bench()
    b.step(run_request(1, 60, 3))
    b.run(5)
    b.step(("cut", 1, "wet"), ("cut", 2, "wet"))
    b.run(20)
    assert [action[1:4] for action in b.logged("finished")] == [(1, 3, "wet")]
    assert b.logged("pulse_close") == [("pulse_close", 1)]


HOUR_MS = 3600000
FEW = LIMITS[: safety.DAY_OPENINGS + 1] + (3, 2, 3, 3) + (0,) * 4  # openings of each zone, then ml
LITTLE = FEW[: safety.DAY_ML_MAX + 1] + (1000, 0, 0, 0)


def opens(b, zone=1, seconds=5, program=0):
    """Ask for a run, let it end, and tell whether there was one."""
    actions = b.step(run_request(zone, seconds, program))
    b.run(seconds + 15)
    return ("started", zone) in actions


def test_a_zone_opens_so_often_in_a_day_and_then_says_day_limit():
    b = Bench(limits=FEW)
    assert [opens(b) for _ in range(4)] == [True, True, True, False]
    assert b.logged("refused") == [("refused", 0, "day_limit")]
    assert opens(b, zone=2), "each zone has its own"


def test_each_kind_of_opening_counts_for_the_day():
    b = Bench(limits=FEW)
    b.step(("check", 2))
    b.run(30)
    b.step(run_request(2, 5, program=3))
    b.run(30)
    b.step(run_request(2, 5, program=3))
    assert b.logged("skipped") == [("skipped", 2, 3, "day_limit")]
    b.step(("check", 2))
    assert b.logged("refused")[-1] == ("refused", 0, "day_limit")


def test_a_run_that_waits_is_judged_again_when_its_turn_comes():
    b = Bench(limits=FEW)
    assert opens(b, zone=2)
    b.step(run_request(1, 5), run_request(2, 5))
    b.step(run_request(2, 5))  # a second one replaces the first
    b.run(30)
    assert len([action for action in b.logged("started") if action[1] == 2]) == 2
    assert not opens(b, zone=2)


def test_a_resumption_counts_and_is_not_made_beyond_the_limit():
    limits = LIMITS[: safety.DAY_OPENINGS + 1] + (1,) * 4 + (0,) * 4
    first = controller.booted(1, [0], (1, 3, 600000, 100000, 0), "watchdog", limits)
    s = list(first)
    s[state.base(1) + state.OPENINGS] = 1
    b = Bench(limits=limits, first=tuple(s))
    b.run(20)
    assert not b.logged("resumed")
    assert b.logged("finished")[0][3] == "watchdog"
    b = Bench(limits=limits, first=first)
    b.run(20)
    assert b.logged("resumed") == [("resumed", 1)]
    assert b.field(1, state.OPENINGS) == 1


def test_an_open_valve_closes_once_it_has_given_the_water_of_the_day():
    b = Bench(limits=LITTLE)
    b.step(run_request(1, 60))
    b.run(30)  # 100 ml a second
    assert b.logged("finished")[0][3] == "day_limit"
    assert 9500 <= b.open_ms[0] <= 11500
    assert not opens(b, zone=1)


def test_water_of_the_day_adds_up_over_runs_and_is_no_limit_where_none_is_set():
    b = Bench(limits=LITTLE)
    assert opens(b, seconds=6)
    b.step(run_request(1, 6))
    b.run(20)
    assert [action[3] for action in b.logged("finished")] == ["completed", "day_limit"]
    b.step(run_request(2, 60))
    b.run(80)
    assert b.logged("finished")[-1][3] == "completed"


def test_a_stop_closes_at_the_limit_as_ever():
    b = Bench(limits=FEW)
    for _ in range(2):
        assert opens(b)
    b.step(run_request(1, 60))
    b.step(("stop", 1))
    b.run(10)
    assert b.valves == [0, 0]


def test_a_new_day_comes_by_the_time_that_passes_and_costs_24_hours_of_it():
    b = Bench(limits=FEW)
    days = []
    for hour in range(24 * 6):
        while opens(b):
            days.append(hour)
        b.log.clear()
        b.step(ms=HOUR_MS)
    assert len(days) <= 3 * (1 + (24 * 6 + 8) // 24)
    begins = sorted(set(days))
    assert all(later - first >= 16 for first, later in zip(begins, begins[1:]))


def test_a_program_at_the_same_time_of_each_day_finds_a_new_day_though_its_moment_wanders():
    for wander_ms in (-1200000, 0, 1200000):
        b = Bench(limits=FEW)
        b.step(ms=32 * HOUR_MS)  # as a board that was idle
        for _ in range(20):
            b.log.clear()
            assert [opens(b) for _ in range(3)] == [True] * 3
            b.step(ms=24 * HOUR_MS + wander_ms - 60500)
