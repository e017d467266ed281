"""What provisioning decides before it speaks to a board: images, settings, accounts, words. The board itself: tests/cable/test_provision.py."""

import ast
import hashlib
import io
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from sim.provision import FIRMWARE, Settings, closer_config, config_json
from tests.tools import esp_image
from tools.micropython import traceback
from tools.provision import __main__ as cli
from tools.provision import build, configure, flash, mosquitto, settings, verify
from tools.provision.ask import ask
from tools.provision.cable import find_port, open_port, pull_reset
from tools.provision.device import Device, Facts
from tools.provision.errors import CableError, DeviceError, ImageError, ProvisionError, SettingsError
from tools.provision.say import Say

ROOT = Path(__file__).resolve().parents[2]
LAWN = {"zones": 2, "wifi_ssid": "lawn", "wifi_password": "water-and-sun", "broker_host": "192.168.1.5"}


# --- the interpreter image


def image_bytes(*, romfs: bool = True, size: int = 600_000, magic: int = 0xE9) -> bytes:
    """An image as the chip's loader wants it: one segment in memory, its checksum, and what follows in flash."""
    segment = b"MicroPython".ljust(64, b"\0")
    checksum = 0xEF
    for byte in segment:
        checksum ^= byte
    head = struct.pack("<BBBBI", magic, 1, 0, 0x40, 0x40100000) + struct.pack("<II", 0x40100000, len(segment)) + segment
    head += b"\0" * (15 - len(head) % 16) + bytes((checksum,))
    return head.ljust(size - 16, b"\0") + (b"rom_ioctl" if romfs else b"").ljust(16, b"\0")


def keep(folder: Path, image: bytes) -> tuple[Path, str]:
    path = folder / "image.bin"
    path.write_bytes(image)
    return path, hashlib.sha256(image).hexdigest()


def test_the_image_with_its_hash_is_taken(tmp_path: Path):
    path, sha256 = keep(tmp_path, image_bytes())
    assert flash.read_image(path, sha256.upper() + "\n") == image_bytes()


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (image_bytes(romfs=False), "built without ROMFS"),
        (image_bytes(size=flash.ROMFS_START + 4096), "would reach into the ROMFS partition"),
        (image_bytes(magic=0x7F), "no ESP8266 image"),
        (image_bytes()[:60], "no whole ESP8266 image"),
        (image_bytes().replace(b"MicroPython", b"MicroPythom", 1), "checksum does not fit"),
        (image_bytes(size=1000), "not a MicroPython interpreter"),
        (b"", "no ESP8266 image"),
    ],
)
def test_an_image_that_is_none_for_this_board_is_refused(tmp_path: Path, image: bytes, words: str):
    with pytest.raises(ImageError, match=words):
        flash.read_image(*keep(tmp_path, image))


def test_an_image_that_esptool_made_has_the_headers_that_are_looked_for(tmp_path: Path):
    path = esp_image.interpreter(tmp_path, in_flash=b"rom_ioctl")
    image = path.read_bytes()
    assert flash.read_image(path, hashlib.sha256(image).hexdigest()) == image
    told = esp_image.described(path)
    assert re.search(r"Flash size: 2MB", told)
    assert re.search(r"Checksum: 0x[0-9a-f]{2} \(valid\)", told)
    spoiled = image[:100] + bytes((image[100] ^ 1,)) + image[101:]
    for bad, words in ((spoiled, "checksum does not fit"), (image[:1000], "no whole ESP8266 image")):
        with pytest.raises(ImageError, match=words):
            flash.check_image("image.bin", bad)


def test_one_half_of_what_esptool_makes_is_no_interpreter(tmp_path: Path):
    esp_image.interpreter(tmp_path, in_flash=b"rom_ioctl")
    with pytest.raises(ImageError, match="not a MicroPython interpreter"):
        flash.check_image("part", (tmp_path / "part-0x00000.bin").read_bytes())
    with pytest.raises(ImageError, match="no ESP8266 image"):
        flash.check_image("part", (tmp_path / "part-0x09000.bin").read_bytes())


def test_an_esptool_image_without_romfs_is_refused(tmp_path: Path):
    path = esp_image.interpreter(tmp_path, in_flash=b"no such call")
    with pytest.raises(ImageError, match="built without ROMFS"):
        flash.check_image(path.name, path.read_bytes())


def test_an_image_for_another_chip_is_refused(tmp_path: Path):
    image = esp_image.of_another_chip(tmp_path).read_bytes()
    assert image[0] == 0xE9
    with pytest.raises(ImageError, match="another chip"):
        flash.check_image("ESP32.bin", image)


def test_an_image_with_another_hash_is_refused_and_its_own_is_told(tmp_path: Path):
    path, sha256 = keep(tmp_path, image_bytes())
    with pytest.raises(ImageError, match=sha256):
        flash.read_image(path, "0" * 64)
    with pytest.raises(ImageError, match="64 hex digits"):
        flash.read_image(path, "abc")


def test_a_refused_image_ends_with_its_code_before_a_port_is_looked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path, _ = keep(tmp_path, image_bytes())
    assert cli.main(["flash", "--port", "/dev/none", "--image", str(path), "--sha256", "0" * 64, "--json"]) == 5
    assert json.loads(capsys.readouterr().out)["exit_code"] == 5


def test_esptool_understands_the_command_line_that_is_made_for_it(tmp_path: Path):
    path, _ = keep(tmp_path, image_bytes())
    for erase in (False, True):
        line = flash.command_line("/dev/none", path, erase=erase)
        assert ("--erase-all" in line) == erase
        done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
        assert "Could not open /dev/none" in done.stdout + done.stderr, "it got as far as the port"
        assert "Usage" not in done.stdout + done.stderr


def test_esptool_that_does_not_finish_is_a_clear_error(tmp_path: Path):
    path, _ = keep(tmp_path, image_bytes())
    with pytest.raises(CableError, match="give the same command again"):
        flash.write("/dev/none", path, erase=False)


# --- the map of names


def test_the_map_of_a_board_is_kept_by_board_and_build_and_restores_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    made = build.Parts({}, b"image", b"", 6)
    path = build.keep_map("5a17e001", made)
    assert path is not None
    assert path.name == f"5a17e001-{hashlib.sha256(b'image').hexdigest()[:8]}.map.json"
    names = json.loads(path.read_text())
    short = next(name for name, stands_for in names.items() if "App._wake" in stands_for)
    text = f'Traceback (most recent call last):\n  File "app.py", line 1, in {short}\nValueError: text\n'
    assert "App._wake" in traceback.restored(names, text)


def test_a_map_that_cannot_be_kept_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "state").write_text("a file")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert build.keep_map("5a17e001", build.Parts({}, b"image", b"", 6)) is None


def test_files_for_plain_mpremote_come_with_their_map(tmp_path: Path):
    written = build.save(tmp_path, build.parts())
    assert tmp_path / "application.map.json" in written


# --- settings


def test_every_setting_that_the_firmware_reads_is_known_with_the_firmwares_own_default():
    rows = settings.table()
    tree = ast.parse((FIRMWARE / "sprinkler" / "provisioned.py").read_text())
    (config,) = [
        node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_CONFIG"
    ]
    for name, default, *_ in ast.literal_eval(config):
        assert rows[name].default == default
    read = set(re.findall(r'(?:setting|getattr)\(config, "([A-Z_]+)"', (FIRMWARE / "closer.py").read_text()))
    assert read <= {name.upper() for name, row in rows.items() if row.closer}


def test_the_simulators_board_and_a_real_one_get_the_same_files():
    given = Settings(zones=2, wifi_ssid="lawn", broker_host="192.168.1.5", device_key="00" * 16)
    simulated = config_json(given)
    values = settings.checked({name: simulated[name] for name in simulated if name in settings.table()})
    written = json.loads(settings.config_json(values))
    assert {name: simulated[name] for name in written if name in simulated} == {
        name: value for name, value in written.items() if name in simulated
    }
    scope: dict[str, int] = {}
    exec(closer_config(given), scope)  # noqa: S102 - constants
    assert all(scope[name] == value for name, value in settings.closer_rows(values).items() if name in scope)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"zones": 5}, "zones must be 1 to 4, not 5"),
        ({"zones": "2"}, "zones must be a whole number"),
        ({"zones": True}, "zones must be a whole number"),
        ({"close_ms": 0}, "close_ms must be 1 to 250"),
        ({"boost_ms": 501}, "boost_ms must be 1 to 500"),
        ({"swapped": 2}, "swapped must be 0 to 1"),
        ({"wifi_ssid": ""}, "wifi_ssid must not be empty"),
        ({"wifi_ssid": "x" * 33}, "more than 32 bytes"),
        ({"broker_port": 70000}, "broker_port must be 1 to 65535"),
        ({"battery_sensor": "max17048"}, 'must be "adc" or "ina219"'),
        ({"soil_raw": [[1, 1]]}, "pairs"),
        ({"soil_raw": [[1, 2]] * 3}, "more probes than there are zones"),
        ({"analog_probe_zone": 1}, "no readings for that zone"),
        ({"analog_probe_zone": 1, "soil_raw": [[1, 2]]}, "cannot serve both"),
        ({"rain_switch": "flow_pin", "ul_per_pulse": 2222}, "has that pin"),
        ({"temperature_sensor": "dht22"}, "must be"),
        ({"color": "green"}, "there is no setting color"),
        ({"device_key": "XY"}, "32 hex digits"),
    ],
)
def test_a_setting_that_no_board_could_use_is_refused_by_name(change: dict[str, object], words: str):
    with pytest.raises(SettingsError, match=words):
        settings.checked(LAWN | change)


def test_a_setting_that_must_be_given_is_asked_for():
    with pytest.raises(SettingsError, match="broker_host is missing"):
        settings.checked({name: value for name, value in LAWN.items() if name != "broker_host"})


def test_no_error_quotes_a_secret(tmp_path: Path):
    with pytest.raises(SettingsError) as caught:
        settings.checked(LAWN | {"wifi_password": "short"})
    assert "short" not in str(caught.value)
    path = tmp_path / "lawn.toml"
    path.write_text('wifi_password = "hunter2')
    with pytest.raises(SettingsError) as caught:
        settings.read_settings_file(path)
    assert "hunter2" not in str(caught.value)


def test_settings_come_from_toml_and_json_and_secrets_from_the_environment(tmp_path: Path):
    (tmp_path / "lawn.toml").write_text("zones = 3\nsoil_raw = [[320, 1015]]\n")
    (tmp_path / "lawn.json").write_text('{"zones": 3}')
    assert settings.read_settings_file(tmp_path / "lawn.toml") == {"zones": 3, "soil_raw": [[320, 1015]]}
    assert settings.read_settings_file(tmp_path / "lawn.json") == {"zones": 3}
    given = settings.secrets_of_environment({"SPRINKLER_WIFI_PASSWORD": "a", "SPRINKLER_ZONES": "4", "HOME": "b"})
    assert given == {"wifi_password": "a"}


def test_a_name_becomes_an_address_and_an_unknown_name_is_refused():
    assert settings.look_up("broker_host", "localhost") == "127.0.0.1"
    with pytest.raises(SettingsError, match="broker_host: cannot find"):
        settings.look_up("broker_host", "no-such-host.invalid")


def test_the_key_stays_unless_a_new_one_is_asked_for():
    old = {"device_key": "ab" * 16}
    same = configure.complete(LAWN, old, "5a17e001", new_key_wanted=False, broker=False)
    other = configure.complete(LAWN, old, "5a17e001", new_key_wanted=True, broker=False)
    first = configure.complete(LAWN, {}, "5a17e001", new_key_wanted=False, broker=False)
    assert same["device_key"] == old["device_key"]
    assert len({values["device_key"] for values in (same, other, first)}) == 3
    assert len(bytes.fromhex(first["device_key"])) == 16


def test_passwords_that_are_left_out_stay_for_the_same_network_and_user():
    given = {name: value for name, value in LAWN.items() if name != "wifi_password"}
    before = LAWN | {"wifi_password": "old-secret", "broker_user": "5a17e001", "broker_password": "old-token"}

    def completed(change: dict[str, object], *, broker: bool = False) -> tuple[str, str]:
        values = configure.complete(given | change, before, "5a17e001", new_key_wanted=False, broker=broker)
        return values["wifi_password"], values["broker_password"]

    assert completed({}) == completed({}, broker=True) == ("old-secret", "old-token")
    assert completed({"wifi_password": ""}) == ("", "old-token")
    assert completed({"wifi_ssid": "other"})[0] == ""
    assert completed({"broker_user": "other"})[1] == ""


def test_a_person_is_asked_until_the_answer_can_be_and_secrets_are_asked_unseen():
    answers = iter(["9", "2"])
    told: list[str] = []
    unseen: list[str] = []

    def read(question: str) -> str:
        if question.startswith("Zones"):
            return next(answers)
        return {"Wi-Fi network": "lawn", "MQTT broker (": "192.168.1.5"}.get(question[:13], "")

    def read_secret(question: str) -> str:
        unseen.append(question)
        return "water-and-sun"

    given = ask({"close_ms": 80}, read, read_secret, told.append)
    assert told == ["zones must be 1 to 4"]
    assert (given["zones"], given["close_ms"], given["wifi_ssid"], given["wifi_password"]) == (
        2,
        80,
        "lawn",
        "water-and-sun",
    )
    assert [question.split(" [")[0].rstrip(": ") for question in unseen] == ["Wi-Fi password", "MQTT password"]
    settings.checked(given)


def test_a_known_secret_is_kept_by_return_and_never_shown():
    questions: list[str] = []
    before = LAWN | {"broker_password": "old-secret"}
    given = ask(before, lambda _: "", lambda question: questions.append(question) or "", lambda _: None)  # type: ignore[func-returns-value]
    assert given["broker_password"] == "old-secret"
    assert "old-secret" not in "".join(questions)


def test_nobody_to_ask_and_no_file_is_wrong_usage(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert cli.main(["configure"]) == 2
    assert "--settings FILE" in capsys.readouterr().err


def test_saved_settings_are_private_and_keep_their_key(tmp_path: Path):
    path = tmp_path / "lawn.json"
    path.write_text(json.dumps(LAWN))
    for _ in range(2):
        assert cli.main(["configure", "--settings", str(path), "--save", str(tmp_path / "build")]) == 0
    config = tmp_path / "build" / "config.json"
    key = json.loads(config.read_text())["device_key"]
    assert cli.main(["configure", "--settings", str(path), "--save", str(tmp_path / "build")]) == 0
    assert json.loads(config.read_text())["device_key"] == key
    assert config.stat().st_mode & 0o077 == 0


# --- the broker's account


def test_the_account_opens_a_real_broker_for_the_boards_own_topics_only(tmp_path: Path):
    program = shutil.which("mosquitto", path=f"{ROOT}/.tools/bin:/usr/sbin:/usr/bin")
    if program is None:
        pytest.skip("mosquitto is not there: sh tools/setup.sh broker")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for user, password in (("5a17e001", "one"), ("5a17e002", "two"), ("homeassistant", "three"), ("5a17e001", "first")):
        mosquitto.write_files(tmp_path, user, password, "homeassistant")
    text = (tmp_path / mosquitto.EXAMPLE).read_text()
    config = tmp_path / "here.conf"
    config.write_text(
        text.replace("listener 1883", f"listener {port} 127.0.0.1").replace("persistence true", "persistence false")
        + "user root\n"
    )
    process = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        heard = conversation(port)
    finally:
        process.terminate()
        process.wait(5)
    assert heard == {
        "homeassistant": ["solar_sprinkler/5a17e001/state"],
        "5a17e001": ["solar_sprinkler/5a17e001/command"],
        "5a17e002": [],
        "refused": ["Not authorized", "Not authorized"],  # the password of before, and nobody in particular
    }


def wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    pytest.fail("mosquitto did not start")


def conversation(port: int) -> dict[str, list[str]]:
    """Everybody subscribes to everything and says something; who heard what."""
    heard: dict[str, list[str]] = {"refused": []}
    clients = {}
    for user, password in (
        ("homeassistant", "three"),
        ("5a17e001", "first"),
        ("5a17e002", "two"),
        ("5a17e001", "one"),
        ("", ""),
    ):
        client = Client(CallbackAPIVersion.VERSION2)
        if user:
            client.username_pw_set(user, password)
        ready: list[str] = []
        client.on_connect = lambda _c, _u, _f, reason, _p, ready=ready: ready.append(str(reason))
        client.connect("127.0.0.1", port)
        client.loop_start()
        until(lambda ready=ready: bool(ready))
        if ready[0] != "Success":
            heard["refused"].append(ready[0])
            client.disconnect()
            client.loop_stop()
            continue
        heard[user] = []
        client.on_message = lambda _c, _u, message, user=user: heard[user].append(message.topic)
        granted: list[int] = []
        client.on_subscribe = lambda *_, granted=granted: granted.append(1)
        client.subscribe("solar_sprinkler/#", 1)
        until(lambda granted=granted: bool(granted))
        clients[user] = client
    clients["5a17e001"].publish("solar_sprinkler/5a17e001/state", "{}", 1)
    clients["5a17e001"].publish("solar_sprinkler/5a17e002/command", "{}", 1)
    clients["5a17e002"].publish("solar_sprinkler/5a17e001/command", "{}", 1)
    clients["homeassistant"].publish("solar_sprinkler/5a17e001/command", "{}", 1)
    until(lambda: len(heard["5a17e001"]) > 0 and len(heard["homeassistant"]) > 1)
    for client in clients.values():
        client.disconnect()
        client.loop_stop()
    heard["homeassistant"] = [topic for topic in heard["homeassistant"] if not topic.endswith("command")]
    return heard


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)


def test_the_broker_files_are_private_and_hold_no_password(tmp_path: Path):
    mosquitto.write_files(tmp_path, "5a17e001", "water-and-sun", "homeassistant")
    for name in (mosquitto.PASSWORDS, mosquitto.RIGHTS):
        assert (tmp_path / name).stat().st_mode & 0o077 == 0
    assert all("water-and-sun" not in path.read_text() for path in tmp_path.iterdir())
    assert (tmp_path / mosquitto.PASSWORDS).read_text().startswith("5a17e001:$7$")


# --- ports and boards


class Transport:
    """Stands for a board that says what it is."""

    def __init__(self, facts: tuple[object, ...]) -> None:
        self.facts = facts

    def exec_raw(self, _code: str, timeout: float) -> tuple[bytes, bytes]:
        return repr(self.facts).encode(), b""


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (("esp32", "1.26.1", 11014, 0, 100, b"\x5a\x17\xe0\x01"), "is a esp32, not an esp8266"),
        (("esp8266", "1.26.1", 11014, 0, 100, b"\x5a\x17\xe0\x01"), "built without ROMFS"),
        (
            ("esp8266", "1.18", 10757, 327680, 100, b"\x5a\x17\xe0\x01"),
            r"reads .mpy version 5, the application is version 6",
        ),
    ],
)
def test_a_board_of_another_kind_is_refused_with_what_to_do(facts: tuple[object, ...], words: str):
    device = Device(Transport(facts), Say(as_json=False, errors=io.StringIO()))  # type: ignore[arg-type]
    assert isinstance(device.facts, Facts)
    with pytest.raises(DeviceError, match=words):
        device.check_kind(6)


def test_a_port_that_is_not_there_is_named():
    with pytest.raises(CableError, match="there is no /dev/none"):
        find_port("/dev/none")


def test_a_port_that_another_program_holds_is_a_clear_error():
    board_end, cable_end = os.openpty()
    name = os.ttyname(cable_end)
    first = open_port(name)
    try:
        with pytest.raises(CableError, match="another program"):
            open_port(name)
    finally:
        first.serial.close()
        os.close(board_end)
        os.close(cable_end)


def test_reset_is_pulled_with_the_loaders_line_at_rest():
    lines: list[tuple[str, bool]] = []

    class Port:
        def __setattr__(self, name: str, value: bool) -> None:
            lines.append((name, value))

    assert pull_reset(Port())  # type: ignore[arg-type]
    assert lines == [("dtr", False), ("rts", True), ("rts", False)]


# --- words


def test_the_qr_code_holds_the_pairing_code():
    text = verify.qr_text("AAAQ-EAYE-AUDA-OCAJ-BIFQ-YDIO-B4FO")
    lines = text.splitlines()
    assert len({len(line) for line in lines}) == 1
    assert len(lines[0]) in (29 + 4, 25 + 4)
    top = [character in "█▀" for character in lines[1]]
    assert top[:2] == [True, True], "two light modules around"
    assert lines[1][2:9] == " ▄▄▄▄▄ ", "the corner's square"


def test_parts_on_the_bus_follow_the_settings():
    two = {"battery_sensor": "ina219", "panel_sensor": True, "soil_raw": [[], [1, 2]]}
    assert verify.parts_on_the_bus(1, {"battery_sensor": "adc"}) == {}
    assert set(verify.parts_on_the_bus(2, two)) == {0x20, 0x37, 0x40, 0x41}
    assert set(verify.parts_on_the_bus(1, {"rain_switch": "expander", "ds3231": True})) == {0x20, 0x68}
    assert verify.parts_on_the_bus(1, {"soil_raw": [[1, 2]], "analog_probe_zone": 1}) == {}


@pytest.mark.parametrize("verb", ["flash", "configure", "install", "verify"])
def test_help_shows_examples_and_exit_codes(verb: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        cli.main([verb, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert "examples:" in text
    assert "exit codes:" in text
    assert "--json" in text


def test_every_error_has_an_exit_code_that_the_help_names():
    def tree(kind: type[ProvisionError]) -> list[type[ProvisionError]]:
        return [kind, *(deeper for child in kind.__subclasses__() for deeper in tree(child))]

    codes = {kind.exit_code for kind in tree(ProvisionError)}
    assert codes == {1, 2, 3, 4, 5}
    assert all(re.search(rf"\b{code} ", cli.EXIT_CODES) for code in codes)


def test_the_package_for_mip_names_files_that_are_there_and_starts_with_what_closes():
    package = json.loads((FIRMWARE / "package.json").read_text())
    names = [target for target, _ in package["urls"]]
    assert names == ["closer.py", "chooser.py", "boot.py", "main.py"]
    assert all((FIRMWARE / source).is_file() for _, source in package["urls"])
