"""The command line: flash, configure, install, verify."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tools.provision.errors import ProvisionError, SettingsError
from tools.provision.say import Say

EXIT_CODES = """\
exit codes: 0 done; 1 the board is not as it should be, the message says in what; 2 wrong usage or settings; 3 no board at the port, or none any
more; 4 something else than the wanted board, or a full one; 5 the interpreter image was refused; 130 ended by Ctrl-C
Progress goes to the error stream, the result to the output."""

TOP = f"""\
A new board, in this order:
  python -m tools.provision flash --port /dev/ttyUSB0 --erase --image FILE.bin --sha256 HEX
  python -m tools.provision configure --port /dev/ttyUSB0
  python -m tools.provision verify --port /dev/ttyUSB0
A newer firmware:
  python -m tools.provision install --port /dev/ttyUSB0
docs/flashing.md has it step by step, and the plain mpremote commands.

{EXIT_CODES}"""

FLASH = """\
examples:
  python -m tools.provision flash --port /dev/ttyUSB0 --erase --image ESP8266_GENERIC-FLASH_2M_ROMFS.bin --sha256 0f3c...
  python -m tools.provision flash --port /dev/ttyUSB0 --image NEWER.bin --sha256 0f3c...       keeps the settings

Writes the interpreter with esptool, then does what `install` does. The image comes from MicroPython's download page (ESP8266, build
FLASH_2M_ROMFS); its hash proves that it arrived whole. Turn the water off at the tap: while the chip's loader runs, nothing closes a valve."""

CONFIGURE = """\
examples:
  python -m tools.provision configure                             asks; what is typed as a password is not shown
  python -m tools.provision configure --settings lawn.toml        takes a TOML or JSON file
  SPRINKLER_WIFI_PASSWORD=... python -m tools.provision configure --settings lawn.toml
  python -m tools.provision configure --settings lawn.toml --mosquitto broker/     also makes the board's account for Mosquitto

The device key stays as it is; --new-key makes another, and Home Assistant must then be paired anew. Settings that are not given fall back to their
defaults: the file is the whole truth. Only passwords that it leaves out stay as they are on the board, for the same network and user."""

INSTALL = """\
examples:
  python -m tools.provision install --port /dev/ttyUSB0           the application of this checkout; settings stay
  python -m tools.provision install --save build/                 only write the files into a folder, for plain mpremote"""

VERIFY = """\
examples:
  python -m tools.provision verify
  python -m tools.provision verify --witness-user homeassistant --witness-password-file ha.txt

Compares every file on the board with this checkout, pulses every valve closed, looks for every part that the settings name, restarts the board, waits
for its report at the broker, and prints the pairing code: that is the device's key, so let nobody look on."""


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog="python -m tools.provision",
        description="Put the firmware on a board, over its cable.",
        epilog=TOP,
        formatter_class=raw,
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="flash|configure|install|verify")

    def verb(
        name: str, what: str, examples: str, action: Callable[[argparse.Namespace, Say], tuple[dict[str, Any], str]]
    ) -> argparse.ArgumentParser:
        made = verbs.add_parser(
            name, help=what, description=what, epilog=f"{examples}\n\n{EXIT_CODES}", formatter_class=raw
        )
        made.add_argument(
            "--port", metavar="PORT", help="the board's serial port (default: the only one with a USB device)"
        )
        made.add_argument(
            "--wait",
            metavar="S",
            type=_seconds,
            default=60,
            help="how long to wait for the board to answer (default %(default)s s)",
        )
        made.add_argument("--json", action="store_true", help="the result as one JSON object")
        made.set_defaults(action=action)
        return made

    flash = verb("flash", "Write the interpreter, then the application", FLASH, _flash)
    flash.add_argument(
        "--image", metavar="FILE", type=Path, required=True, help="MicroPython for ESP8266, build FLASH_2M_ROMFS (.bin)"
    )
    flash.add_argument(
        "--sha256", metavar="HEX", required=True, help="the image's SHA-256, as its download page or you noted it"
    )
    flash.add_argument(
        "--erase",
        action="store_true",
        help="erase all of the flash first: a board that had other software; settings are lost",
    )

    configure = verb("configure", "Write the board's settings", CONFIGURE, _configure)
    configure.add_argument(
        "--settings", metavar="FILE", type=Path, help="TOML or JSON file with the settings (default: ask)"
    )
    configure.add_argument(
        "--save", metavar="DIR", type=Path, help="write the board's two files into a folder instead; needs no board"
    )
    configure.add_argument("--new-key", action="store_true", help="make a new device key")
    configure.add_argument(
        "--no-join", action="store_true", help="do not wait for the Wi-Fi network: it is not in reach here"
    )
    configure.add_argument(
        "--mosquitto",
        metavar="DIR",
        type=Path,
        help="write password, rights and an example configuration for Mosquitto",
    )
    configure.add_argument(
        "--home-assistant-user",
        metavar="NAME",
        default="homeassistant",
        help="Home Assistant's user at the broker (default %(default)s)",
    )

    install = verb("install", "Write the application of this checkout; settings stay", INSTALL, _install)
    install.add_argument(
        "--save", metavar="DIR", type=Path, help="write the files into a folder instead; needs no board"
    )

    verify = verb("verify", "Show that the board is whole and reports", VERIFY, _verify)
    verify.add_argument(
        "--witness-user", metavar="NAME", default="", help="an account that may read (default: the board's own)"
    )
    verify.add_argument(
        "--witness-password-file", metavar="FILE", type=Path, help="file whose first line is its password"
    )
    verify.add_argument(
        "--witness-host",
        metavar="HOST",
        default="",
        help="the broker's address from here, if it is another than the board's",
    )
    verify.add_argument(
        "--report-wait",
        metavar="S",
        type=_seconds,
        default=90,
        help="how long to wait for the report (default %(default)s s)",
    )
    verify.add_argument("--no-code", action="store_true", help="do not print the pairing code")
    return parser


def _seconds(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 3600:
        raise argparse.ArgumentTypeError("wants whole seconds, 1 to 3600")
    return int(text)


def _flash(options: argparse.Namespace, say: Say) -> tuple[dict[str, Any], str]:
    from tools.provision import flash
    from tools.provision.build import keep_map, parts
    from tools.provision.cable import find_port, reset_once
    from tools.provision.device import Device
    from tools.provision.install import install

    flash.read_image(options.image, options.sha256)
    made = parts()
    port = find_port(options.port)
    say.step("the image is the one with that hash, and one for this board")
    reset_once(port)
    flash.write(port, options.image, erase=options.erase)
    say.step("interpreter written; waiting for its first start, which makes the file system")
    with Device.at(port, say, options.wait) as device:
        done = install(device, made)
        device.held = not done["configured"]  # the application would fall without settings
    done["map"] = str(keep_map(done["device_id"], made) or "")
    return done, _next(done)


def _install(options: argparse.Namespace, say: Say) -> tuple[dict[str, Any], str]:
    from tools.provision.build import keep_map, parts, save

    if options.save is not None:
        files = [str(path) for path in save(options.save, parts())]
        return {"files": files}, "\n".join(files)
    from tools.provision.device import Device
    from tools.provision.install import install

    made = parts()
    with Device.at(options.port, say, options.wait) as device:
        done = install(device, made)
        device.held = not done["configured"]  # the application would fall without settings
    done["map"] = str(keep_map(done["device_id"], made) or "")
    return done, _next(done)


def _next(done: dict[str, Any]) -> str:
    what = ", ".join(done["written"]) or "nothing: it was all there"
    then = "it runs; look at it with `verify`" if done["configured"] else "now give `configure`"
    kept = f"\nfor reading its tracebacks: python -m tools.micropython.traceback {done['map']}" if done["map"] else ""
    return f"board {done['device_id']}: written {what}; {then}{kept}"


def _configure(options: argparse.Namespace, say: Say) -> tuple[dict[str, Any], str]:
    from tools.provision import configure as steps
    from tools.provision.ask import ask
    from tools.provision.device import Device
    from tools.provision.errors import CheckError
    from tools.provision.settings import checked, read_settings_file, secrets_of_environment

    given = secrets_of_environment()
    if options.settings is not None:
        given = read_settings_file(options.settings) | given
        checked(given)  # before the board is asked for
    elif not sys.stdin.isatty():
        raise SettingsError("nobody is here to be asked: give --settings FILE")
    if options.save is not None:
        if options.settings is None or options.mosquitto is not None:
            raise SettingsError("--save wants --settings FILE, and no --mosquitto: the board's id is not known here")
        files = [str(path) for path in steps.save(options.save, given, new_key_wanted=options.new_key)]
        return {"files": files}, "\n".join(files)
    with Device.at(options.port, say, options.wait) as device:
        before = steps.settings_before(device, new_key_wanted=options.new_key)
        if options.settings is None:
            given = {name: value for name, value in ask(before | given, tell=say.step).items() if name != "device_key"}
        broker = options.mosquitto is not None
        values = steps.complete(given, before, device.facts.device_id, new_key_wanted=options.new_key, broker=broker)
        files = steps.mosquitto_files(options.mosquitto, values, options.home_assistant_user) if broker else []
        done = steps.configure(device, values, before, join=not options.no_join)
    done["mosquitto"] = files
    if done["wifi_problem"]:
        raise CheckError(
            f"the settings are on the board, but it did not join the Wi-Fi network: {done['wifi_problem']}"
        )
    lines = [
        f"board {done['device_id']}: settings {'written' if done['changed'] else 'were there already'}; it runs with them; now give `verify`"
    ]
    if files:
        lines.append(f"for Mosquitto, in {options.mosquitto}: {', '.join(files)}")
    return done, "\n".join(lines)


def _verify(options: argparse.Namespace, say: Say) -> tuple[dict[str, Any], str]:
    from tools.provision.build import parts
    from tools.provision.device import Device
    from tools.provision.verify import Witness, qr_text, verify

    password = ""
    if options.witness_password_file is not None:
        try:
            password = options.witness_password_file.read_text(encoding="utf-8").split("\n")[0].rstrip("\r")
        except OSError as error:
            raise SettingsError(f"cannot read {options.witness_password_file}: {error.strerror}") from error
    made = parts()
    with Device.at(options.port, say, options.wait) as device:
        done = verify(device, made, Witness(options.witness_user, password, options.witness_host), options.report_wait)
    code = done["pairing_code"]
    text = f"board {done['device_id']}, firmware {done['firmware']}, {done['zones']} zones: it reports, and is what this checkout builds"
    if done["faults"]:
        text += f"\nit reports faults: {', '.join(done['faults'])}"
    if options.no_code:
        del done["pairing_code"]
        return done, text
    return done, f"{text}\npairing code for Home Assistant: {code}\n\n{qr_text(code)}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; the exit code."""
    options = _parser().parse_args(arguments)
    say = Say(as_json=options.json)
    try:
        values, text = options.action(options, say)
    except ProvisionError as error:
        if options.json:
            say.result({"error": str(error), "exit_code": error.exit_code}, "")
        print(f"provision: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(
            "\nprovision: ended; the board closes its valves at its next start. Give the same command again to finish",
            file=sys.stderr,
        )
        return 130
    say.result(values, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
