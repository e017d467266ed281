"""The stand-ins' faults are the port's own."""

import pytest

from sim.board import SimulatedBoard
from sim.clock import Clock
from sim.errors import DeepSleep, PowerLoss, Reset, WatchdogReset
from sim.port import Port


def test_deep_sleep_wraps_at_32_bits_of_microseconds(port: Port) -> None:
    with pytest.raises(DeepSleep) as two_hours:
        port.machine.deepsleep(2 * 3600 * 1000)
    assert two_hours.value.sleep_us == 7_200_000_000 - 2**32
    assert two_hours.value.sleep_us / 60e6 == pytest.approx(48.4, abs=0.1)


def test_deep_sleep_of_an_hour_is_one(port: Port) -> None:
    with pytest.raises(DeepSleep) as hour:
        port.machine.deepsleep(3_600_000)
    assert hour.value.sleep_us == 3_600_000_000


def test_watchdog_bites_after_its_time(port: Port) -> None:
    port.machine.WDT()
    start_us = port.session.timeline.now_us
    with pytest.raises(WatchdogReset):
        port.time.sleep_ms(10_000)
    assert port.session.timeline.now_us - start_us == pytest.approx(3_200_000, abs=100)


def test_fed_watchdog_stays_quiet(port: Port) -> None:
    dog = port.machine.WDT()
    for _ in range(20):
        port.time.sleep_ms(3000)
        dog.feed()


def test_watchdog_bites_a_loop_that_never_waits(port: Port) -> None:
    port.machine.WDT()

    def spin() -> None:
        while True:
            port.time.ticks_ms()

    with pytest.raises(WatchdogReset):
        spin()


def test_watchdog_bites_a_blocking_receive_that_hears_nothing(board: SimulatedBoard, port: Port) -> None:
    port.machine.WDT()
    sock = port.socket.socket()
    sock.settimeout(1)
    sock.connect(("127.0.0.1", 1883))
    sock.setblocking(True)  # wipes the timeout of one second
    with pytest.raises(WatchdogReset):
        sock.recv(1)


def test_timeout_ends_a_blocking_receive(port: Port) -> None:
    sock = port.socket.socket()
    sock.settimeout(1)
    sock.connect(("127.0.0.1", 1883))
    with pytest.raises(OSError, match=r"Errno 110\b"):
        sock.recv(1)


def test_nothing_acts_after_the_boot_has_ended(board: SimulatedBoard, port: Port) -> None:
    pin = port.machine.Pin(4, port.machine.Pin.OUT, value=0)
    try:
        with pytest.raises(Reset):
            port.machine.reset()
    finally:
        with pytest.raises(Reset):
            pin(1)
        with pytest.raises(Reset):
            port.machine.RTC().memory(b"late")
    assert board.bench.level(4) == 0
    assert board.chip.rtc_memory == b""
    assert port.session.late_calls == 2


def test_rtc_memory_holds_492_bytes(board: SimulatedBoard, port: Port) -> None:
    rtc = port.machine.RTC()
    rtc.memory(bytes(492))
    with pytest.raises(ValueError, match="too long"):
        rtc.memory(bytes(493))
    assert rtc.memory() == bytes(492)
    board.chip.lose_power(port.session.timeline.now_us)
    assert rtc.memory() == b""


def test_clock_counts_from_2000_and_is_set_by_the_rtc(port: Port) -> None:
    assert 0 <= port.time.time() < 5
    port.machine.RTC().datetime((2027, 1, 15, 4, 8, 0, 0, 0))
    assert port.time.time() == 1_800_000_000 - 946_684_800
    assert port.time.gmtime()[:6] == (2027, 1, 15, 8, 0, 0)
    assert port.time.mktime(port.time.gmtime(123_456_789)) == 123_456_789
    assert port.time.gmtime(0) == (2000, 1, 1, 0, 0, 0, 5, 1)


def test_awake_clock_drifts_by_its_rate(board: SimulatedBoard, port: Port) -> None:
    board.chip.clock.awake_drift = 1 / 50
    start_s = port.time.time()
    for _ in range(100):
        port.time.sleep_ms(50_000)
        port.time.time()
    assert port.time.time() - start_s == pytest.approx(5100, abs=2)


def test_clock_loses_an_overflow_that_it_was_not_read_across(port: Port) -> None:
    start_s = port.time.time()
    port.time.sleep_ms(8 * 3_600_000)
    assert port.time.time() - start_s == 900  # 8 h less 7 h 45 min
    for hour in range(1, 13):
        port.time.sleep_ms(3_600_000)
        assert port.time.time() - start_s == 900 + hour * 3600  # read every hour it keeps count


def test_sleep_timer_errs_and_the_clock_does_not_know() -> None:
    clock = Clock(sleep_drift=0.05)
    clock.set_us(0, 1_000_000)
    really_us = clock.sleep(0, 600_000_000)
    assert really_us == 630_000_000
    clock.start_counter(really_us)
    assert clock.read_us(really_us) == 601_000_000


def test_reset_pin_sets_the_clock_back_to_when_its_counter_was_zero() -> None:
    clock = Clock()
    clock.set_us(100_000_000, 5_000_000_000)
    assert clock.read_us(130_000_000) == 5_030_000_000
    clock.start_counter(130_000_000)
    assert clock.read_us(131_000_000) == 4_901_000_000


def test_ticks_wrap_at_2_to_the_30(board: SimulatedBoard, port: Port) -> None:
    board.chip.ticks_offset_us = ((1 << 30) - 3000) * 1000 - (port.session.timeline.now_us - port.session.boot_us)
    before = port.time.ticks_ms()
    port.time.sleep_ms(5000)
    after = port.time.ticks_ms()
    assert after < before
    assert port.time.ticks_diff(after, before) == pytest.approx(5000, abs=1)
    assert port.time.ticks_add(before, 5000) == pytest.approx(after, abs=1)


def test_sdk_flash_is_written_by_switching_and_joining_with_names(board: SimulatedBoard, port: Port) -> None:
    station = port.network.WLAN(port.network.STA_IF)
    assert station.active()
    station.connect()
    assert board.chip.sdk_flash_writes == 0
    station.connect("lawn", "water-and-sun")
    assert board.chip.sdk_flash_writes == 1
    port.network.WLAN(port.network.AP_IF).active(False)
    station.active(True)
    assert board.chip.sdk_flash_writes == 3


def test_wifi_joins_after_its_time_and_tells_why_not(board: SimulatedBoard, port: Port) -> None:
    station = port.network.WLAN(port.network.STA_IF)
    assert station.isconnected()
    assert station.status("rssi") == -61
    station.connect("lawn", "wrong")
    assert station.isconnected()  # it is still joined; the next join fails
    station.disconnect()
    station.connect()
    port.time.sleep_ms(5000)
    assert not station.isconnected()
    assert station.status() == port.network.STAT_WRONG_PASSWORD
    station.connect("elsewhere", "x")
    assert station.status() == port.network.STAT_NO_AP_FOUND
    station.connect("lawn", "water-and-sun")
    port.time.sleep_ms(5000)
    assert station.status() == port.network.STAT_GOT_IP
    board.network.wifi_up = False
    assert not station.isconnected()


def test_time_server_tells_the_true_time(board: SimulatedBoard, port: Port) -> None:
    sock = port.socket.socket(port.socket.AF_INET, port.socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.sendto(b"\x1b" + bytes(47), ("192.168.4.1", 123))
    with pytest.raises(OSError, match=r"Errno 11\b"):
        sock.recv(48)
    poller = port.select.poll()
    poller.register(sock, port.select.POLLIN)
    assert poller.poll(1000)
    answer = sock.recv(48)
    assert len(answer) == 48
    assert answer[0] & 7 == 4
    assert int.from_bytes(answer[40:44], "big") - 2_208_988_800 == pytest.approx(board.world.unix_s(), abs=1)
    board.network.ntp_on = False
    sock.sendto(b"\x1b" + bytes(47), ("192.168.4.1", 123))
    assert poller.poll(1000) == []


def test_connection_that_nobody_answers_stays_in_progress(board: SimulatedBoard, port: Port) -> None:
    sock = port.socket.socket()
    sock.setblocking(False)
    with pytest.raises(OSError, match=r"Errno 115\b"):
        sock.connect(("10.9.8.7", 1883))
    poller = port.select.poll()
    poller.register(sock, port.select.POLLOUT)
    assert poller.poll(60_000) == []


def test_refused_connection_is_told_by_poll_and_by_receive(board: SimulatedBoard, port: Port) -> None:
    assert board.broker is not None
    board.broker.stop()
    sock = port.socket.socket()
    sock.setblocking(False)
    with pytest.raises(OSError, match=r"Errno 115\b"):
        sock.connect(("127.0.0.1", 1883))
    poller = port.select.poll()
    poller.register(sock, port.select.POLLIN)
    assert poller.poll(1000)[0][1] & (port.select.POLLERR | port.select.POLLHUP)
    with pytest.raises(OSError, match=r"Errno 111\b"):
        sock.recv(1)


def test_bytes_lost_on_a_dead_wifi_kill_the_connection_for_good(board: SimulatedBoard, port: Port) -> None:
    assert board.broker is not None
    sock = port.socket.socket()
    sock.connect(("127.0.0.1", 1883))
    sock.setblocking(False)
    board.network.wifi_up = False
    assert sock.send(b"\x10\x10") == 2
    board.network.wifi_up = True
    sock.send(b"lost as well")
    port.time.sleep_ms(60_000)
    assert board.broker.connects == 0
    with pytest.raises(OSError, match=r"Errno 11\b"):
        sock.recv(10)


def test_names_are_not_resolved(port: Port) -> None:
    with pytest.raises(OSError, match=r"Errno -2"):
        port.socket.socket().connect(("broker.local", 1883))


def test_files_count_from_their_close(board: SimulatedBoard, port: Port) -> None:
    with port.open("/a.txt", "w") as file:
        file.write("old")
    file = port.open("/a.txt", "w")
    file.write("new")
    assert board.chip.flash.files["/a.txt"] == b"old"
    file.close()
    assert board.chip.flash.files["/a.txt"] == b"new"
    with port.open("/a.txt", "ab") as appended:
        appended.write(b"er")
    with port.open("/a.txt") as again:
        assert again.read() == "newer"
    port.os.rename("/a.txt", "/b.txt")
    assert port.os.listdir("/") == ["b.txt", "closer_config.py", "config.json", "main.py", "slots.bin"]
    assert port.os.stat("/b.txt")[6] == 5
    port.os.remove("b.txt")
    with pytest.raises(OSError, match=r"Errno 2\b"):
        port.open("/b.txt")


def test_flash_is_full_at_its_capacity(board: SimulatedBoard, port: Port) -> None:
    board.chip.flash.capacity = 2000
    with pytest.raises(OSError, match=r"Errno 28\b"), port.open("/big", "wb") as file:
        file.write(bytes(2000))
    assert "/big" not in board.chip.flash.files


def test_flash_can_be_cut_at_any_step(board: SimulatedBoard, port: Port) -> None:
    flash = board.chip.flash
    steps: list[str] = []

    def cut(_step: int, what: str, path: str) -> None:
        steps.append(f"{what} {path}")
        if what == "rename":
            raise port.session.end(PowerLoss())

    flash.on_write = cut
    with port.open("/a.new", "wb") as file:
        file.write(b"1")
    with pytest.raises(PowerLoss):
        port.os.rename("/a.new", "/a")
    assert steps == ["write /a.new", "rename /a"]
    assert flash.files["/a.new"] == b"1"
    assert "/a" not in flash.files
    with pytest.raises(PowerLoss):
        port.open("/a.new")


def test_hard_timer_runs_on_time_and_a_soft_one_in_a_wait(port: Port) -> None:
    seen: list[tuple[str, int]] = []
    now_us = port.session.timeline.now_us
    hard, soft = port.machine.Timer(-1), port.machine.Timer(-1)
    hard.init(
        mode=port.machine.Timer.PERIODIC,
        period=100,
        callback=lambda _t: seen.append(("hard", port.session.timeline.now_us)),
        hard=True,
    )
    soft.init(
        mode=port.machine.Timer.ONE_SHOT,
        period=150,
        callback=lambda _t: seen.append(("soft", port.session.timeline.now_us)),
    )
    port.time.sleep_ms(250)
    hard.deinit()
    port.time.sleep_ms(1000)
    assert [name for name, _ in seen] == ["hard", "soft", "hard"]
    assert [at_us - now_us for _, at_us in seen] == pytest.approx([100_000, 150_000, 200_000], abs=100)


def test_poll_sees_what_comes_on_the_serial_line(port: Port) -> None:
    poller = port.select.poll()
    poller.register(port.sys.stdin, port.select.POLLIN)
    assert poller.poll(10) == []
    port.session.uart += b"\x03"
    assert poller.poll(10) == [(port.sys.stdin, port.select.POLLIN)]
    assert port.sys.stdin.read(1) == "\x03"
