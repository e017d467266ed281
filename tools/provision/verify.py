"""Shows that a board is what this checkout builds, that its parts answer, and that its report reaches the broker.

Rule: the witness at the broker is paho-mqtt, which shares no code with the board's client. The board's settings are read, never printed.
"""

import hashlib
import hmac
import io
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import segno
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from sim.provision import pairing_code
from tools.provision.build import Parts
from tools.provision.device import Device
from tools.provision.errors import CheckError, DeviceError
from tools.provision.install import CONFIG, differences
from tools.provision.say import Say

BUTTON = 0  # GPIO
EXPANDER, BATTERY, PANEL, PROBES, CLOCK = 0x20, 0x40, 0x41, 0x36, 0x68  # addresses on the bus: hardware/BOM.md
SELF_TEST = f"""
import machine, time, gc, closer
try:
    import closer_config as cc
except ImportError:
    cc = None
n = closer.zone_count(cc)
bad = []
for z in range(1, n + 1):
    try:
        closer.pulse(machine, time, cc, z, False)
    except OSError:
        bad.append(z)
    time.sleep_ms(100)
i2c = machine.I2C(scl=machine.Pin(closer.SCL_PIN), sda=machine.Pin(closer.SDA_PIN), freq=100000)
found = i2c.scan()
soil = []
for a in range({PROBES}, {PROBES} + n):
    if a in found:
        try:
            i2c.writeto(a, b'\\x0f\\x10')
            time.sleep_ms(5)
            soil.append((a - {PROBES} + 1, int.from_bytes(i2c.readfrom(a, 2), 'big')))
        except OSError:
            found.remove(a)
button = machine.Pin({BUTTON}, machine.Pin.IN, machine.Pin.PULL_UP)()
adc = machine.ADC(0).read()
import sprinkler.app
gc.collect()
print(repr((n, cc is not None, bad, found, button, adc, soil, gc.mem_free())))
"""


@dataclass(frozen=True, slots=True)
class Witness:
    """An account at the broker that may read what boards publish. Empty: the board's own account."""

    user: str = ""
    password: str = ""
    host: str = ""


def check_files(device: Device, made: Parts) -> None:
    """Raises CheckError unless the board holds what this checkout builds."""
    found = differences(device, made)
    if found:
        raise CheckError(f"on the board these differ from this checkout: {', '.join(found)}; give `install`")


def read_config(device: Device) -> dict[str, Any]:
    """The board's config.json. Raises CheckError, DeviceError."""
    text = device.read(CONFIG)
    if text is None:
        raise CheckError("the board is not configured yet: give `configure`")
    try:
        config = json.loads(text)
        bytes.fromhex(config["device_key"])
    except (ValueError, KeyError, TypeError) as error:
        raise DeviceError(
            "the board's config.json is damaged: give `configure --new-key`, then pair it anew"
        ) from error
    if not config.get("broker_host"):
        raise CheckError("the board knows no broker: give `configure`")
    return dict(config)


def parts_on_the_bus(zones: int, config: Mapping[str, Any]) -> dict[int, str]:
    """What must answer at which address of the bus, by the settings."""
    probes = [number for number, raw in enumerate(config.get("soil_raw") or (), 1) if raw]
    analog = config.get("analog_probe_zone")
    wanted = {PROBES + number - 1: f"the soil probe of zone {number}" for number in probes if number != analog}
    if zones > 1 or config.get("rain_switch") == "expander":
        wanted[EXPANDER] = "the expander (MCP23008)"
    if config.get("battery_sensor") == "ina219":
        wanted[BATTERY] = "the battery's INA219"
    if config.get("panel_sensor"):
        wanted[PANEL] = "the panel's INA219"
    if config.get("ds3231") or config.get("temperature_sensor") == "ds3231":
        wanted[CLOCK] = "the DS3231"
    return wanted


def self_test(device: Device, config: Mapping[str, Any]) -> list[str]:
    """Close every zone, look for every part, load the application: what does not hold, in words."""
    zones, described, unreachable, found, button, adc, soil, free = device.value(SELF_TEST, "testing itself")
    problems = [] if described else ["closer_config.py is missing: give `configure`"]
    problems += [f"the bridge of zone {zone} cannot be reached" for zone in unreachable]
    wanted = parts_on_the_bus(zones, config)
    problems += [f"{name} does not answer at 0x{at:02x}" for at, name in wanted.items() if at not in found]
    if button == 0:
        problems.append("the button (GPIO0) reads as pressed")
    if config.get("battery_sensor") == "adc" and not 2500 <= adc * 5000 // 1024 <= 4500:
        problems.append(f"the battery reads {adc * 5000 // 1024} mV at the ADC: is its divider wired?")
    for zone, raw in soil:
        device.say.step(f"the soil probe of zone {zone} reads {raw}, as `soil_raw` counts")
    device.say.step(f"self-test: {zones} zones closed, {free} bytes of heap free with the application loaded")
    return problems


class Report:
    """Listens at the broker for what one board says."""

    def __init__(self, config: Mapping[str, Any], device_id: str, witness: Witness) -> None:
        self._base = f"solar_sprinkler/{device_id}/"
        self._key = bytes.fromhex(config["device_key"])
        self.state: dict[str, Any] = {}
        self.announce: dict[str, Any] = {}
        self.signed: bool | None = None
        self._ready, self._heard = threading.Event(), threading.Event()
        self._refused = ""
        self._client = Client(CallbackAPIVersion.VERSION2)
        user = witness.user or config.get("broker_user", "")
        if user:
            self._client.username_pw_set(user, witness.password if witness.user else config.get("broker_password", ""))
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._on_message
        self._address = witness.host or config["broker_host"], config.get("broker_port", 1883)

    def __enter__(self) -> Report:
        where = f"{self._address[0]}:{self._address[1]}"
        try:
            self._client.connect(*self._address, keepalive=30)
        except OSError as error:
            raise CheckError(f"this computer cannot reach the broker at {where}: {error.strerror or error}") from error
        self._client.loop_start()
        if not self._ready.wait(10) or self._refused:
            self.__exit__()
            raise CheckError(
                f"the broker at {where} does not let this computer listen: {self._refused or 'no answer'}; see --witness-user"
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: Client, _data: object, _flags: object, reason: Any, _properties: object) -> None:
        if reason.is_failure:
            self._refused = str(reason)
            self._ready.set()
        elif client.subscribe(self._base + "#", 1)[0] != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._refused = "it does not take the subscription"
            self._ready.set()

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        topic = message.topic.removeprefix(self._base)
        try:
            if topic == "announce" and message.payload:
                body, _, mac = message.payload.partition(b"\n")
                wanted = hmac.new(self._key, message.topic.encode() + b"\0" + body, hashlib.sha256).hexdigest()[:32]
                self.signed = hmac.compare_digest(mac, wanted.encode())
                self.announce = json.loads(body)
            elif topic == "state" and message.payload and not message.retain:
                self.state = json.loads(message.payload)
        except ValueError:
            return
        if self.announce and self.state:
            self._heard.set()

    def wait(self, say: Say, wait_s: float) -> None:
        """Until the board has reported afresh. Raises CheckError."""
        began = time.monotonic()
        while not self._heard.wait(1):
            gone_s = time.monotonic() - began
            say.progress("waiting for its report", round(gone_s), round(wait_s))
            if gone_s > wait_s:
                lacks = "it published, but its announce was not heard" if self.state else "nothing came from the board"
                raise CheckError(
                    f"no report at the broker in {round(wait_s)} s: {lacks}. Are Wi-Fi and broker in its settings right, and may this "
                    "listener read its topics (--witness-user)? `configure` shows whether it joins"
                )
        if not self.signed:
            raise CheckError(
                "the announce at the broker is not signed with this board's key: remove the retained one, or give `configure`"
            )


def verify(device: Device, made: Parts, witness: Witness, wait_s: float) -> dict[str, Any]:
    """Everything, ending with the pairing code. Raises CheckError with the first thing that does not hold; the board runs again then."""
    check_files(device, made)
    device.say.step("every file is the one that this checkout builds")
    config = read_config(device)
    problems = self_test(device, config)
    if problems:
        raise CheckError("; ".join(problems))
    with Report(config, device.facts.device_id, witness) as report:
        device.restart()
        device.say.step("restarted; waiting for its report at the broker")
        report.wait(device.say, wait_s)
    return {
        "device_id": device.facts.device_id,
        "firmware": report.announce.get("firmware"),
        "zones": report.announce.get("zones"),
        "faults": report.state.get("faults", []),
        "pairing_code": pairing_code(bytes.fromhex(config["device_key"])),
    }


def qr_text(text: str) -> str:
    """A QR code of half blocks, dark on light as readers want it, for a terminal of light letters on dark."""
    rows = [list(row) for row in segno.make(text, error="m", micro=False).matrix_iter(border=2)]
    rows += [[0] * len(rows[0])] * (len(rows) % 2)
    out = io.StringIO()
    for upper, lower in zip(rows[::2], rows[1::2], strict=True):
        out.write(
            "".join(" ▄▀█"[2 * (not above) + (not below)] for above, below in zip(upper, lower, strict=True)) + "\n"
        )
    return out.getvalue()
