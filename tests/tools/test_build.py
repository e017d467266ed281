"""The update bundle: the same sources make the same bytes, and the manifest says what they are."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from sim.provision import FIRMWARE
from sim.rom import SLOT_BYTES
from tools import build
from tools.provision.build import parts


def run(*arguments: str, cwd: Path = FIRMWARE.parent) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "tools.build", *arguments]
    return subprocess.run(line, cwd=cwd, capture_output=True, text=True, check=False)


FROM_NOTHING = """
import hashlib
from sim.provision import FIRMWARE
from tools.micropython.package import compose
print({name: hashlib.sha256(part).hexdigest() for name, part in compose(FIRMWARE).items()})
"""


def test_two_processes_that_build_from_nothing_make_the_same_bytes():
    made = [
        subprocess.run(
            [sys.executable, "-c", FROM_NOTHING],
            cwd=FIRMWARE.parent,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert made[0] == made[1]


def test_what_is_written_is_what_the_manifest_names(tmp_path: Path):
    here, there = tmp_path / "a", tmp_path / "b" / "c"
    told = run("--out", str(here), "--json")
    assert (told.returncode, run("--out", str(there)).returncode) == (0, 0), told.stderr
    for name in (build.IMAGE, build.MANIFEST):
        assert (here / name).read_bytes() == (there / name).read_bytes()
    manifest, image = json.loads(told.stdout), (here / build.IMAGE).read_bytes()
    assert json.loads((here / build.MANIFEST).read_text()) == manifest
    assert (manifest["size"], manifest["sha256"]) == (len(image), hashlib.sha256(image).hexdigest())
    assert image[:3] == b"\xd2\xcd\x31"
    assert len(image) % 4 == 0
    assert len(image) <= SLOT_BYTES
    assert (manifest["mpy"], manifest["closer_api"], manifest["interpreter_min"]) == (6, 1, "1.25.0")
    assert manifest["release_notes"].startswith("### Added")


def test_a_board_is_given_the_same_image_over_its_cable():
    assert parts().rom == build.bundle().image


def copy(tmp_path: Path, version: str) -> Path:
    firmware = tmp_path / "firmware"
    shutil.copytree(FIRMWARE, firmware)
    report = firmware / "sprinkler" / "report.py"
    report.write_text(report.read_text().replace('FIRMWARE = "0.1.0"', f'FIRMWARE = "{version}"'))
    return firmware


def test_another_version_is_another_image(tmp_path: Path):
    made = build.bundle(copy(tmp_path, "0.2.0"))
    assert made.manifest["version"] == "0.2.0"
    assert made.manifest["sha256"] != build.bundle().manifest["sha256"]


@pytest.mark.parametrize("version", ["1.2", "next", "0.1.256", "1.2.3-beta", ""])
def test_a_version_that_no_board_could_compare_is_refused(tmp_path: Path, version: str):
    with pytest.raises(build.BuildError, match="not three numbers"):
        build.bundle(copy(tmp_path, version))


def test_sources_that_do_not_compile_are_said_by_name(tmp_path: Path):
    firmware = copy(tmp_path, "0.2.0")
    (firmware / "closer.py").write_text("API = 1\ndef (:\n")
    with pytest.raises((build.BuildError, SyntaxError)):
        build.bundle(firmware)


def test_an_image_that_is_too_big_for_a_slot_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(build, "SLOT_BYTES", 1000)
    with pytest.raises(build.BuildError, match="must shrink"):
        build.bundle()


def test_a_folder_that_cannot_be_written_is_wrong_usage(tmp_path: Path):
    (tmp_path / "file").write_text("")
    done = run("--out", str(tmp_path / "file" / "below"), "--json")
    assert done.returncode == 2
    assert "cannot write to" in json.loads(done.stdout)["error"]


def test_a_release_is_the_integration_with_its_bundle_and_the_same_bytes_each_time(tmp_path: Path):
    made = build.bundle()
    for name in ("a.zip", "b.zip"):
        build.release(tmp_path / name, made)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        names = set(archive.namelist())
        assert {"manifest.json", "update.py", "translations/de.json", "bundle/manifest.json"} <= names
        assert not any("__pycache__" in name for name in names)
        assert archive.read(f"bundle/{build.IMAGE}") == made.image


def test_what_is_right_already_is_not_written_again(tmp_path: Path):
    paths = build.save(tmp_path, build.bundle())
    before = [path.stat().st_mtime_ns for path in paths]
    build.save(tmp_path, build.bundle())
    assert [path.stat().st_mtime_ns for path in paths] == before


def test_the_help_has_examples_and_every_exit_code():
    text = run("--help").stdout
    assert "python -m tools.build --out build/" in text
    assert all(f"{code} " in build.EXIT_CODES for code in (0, 1, 2))


def test_release_notes_are_those_of_the_version(tmp_path: Path):
    changes = tmp_path / "CHANGELOG.md"
    changes.write_text("# Log\n## [0.2.0] - x\nnew things\n## [0.1.0]\nold things\n")
    assert build.release_notes("0.2.0", changes) == "new things"
    assert build.release_notes("0.1.0", changes) == "old things"
    assert build.release_notes("9.9.9", changes) == ""
    changes.write_text("## [0.2.0]\n" + "a line\n" * 2000)
    assert len(build.release_notes("0.2.0", changes)) <= build.NOTES_MAX + 4
