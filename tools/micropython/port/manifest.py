# Frozen into the interpreter, from the board's own sources: mounting the file system, asyncio.
module("_boot.py", base_path="$(MPY_DIR)/ports/esp8266/modules")  # noqa: F821
module("flashbdev.py", base_path="$(MPY_DIR)/ports/esp8266/modules")  # noqa: F821
module("inisetup.py", base_path="$(MPY_DIR)/ports/esp8266/modules")  # noqa: F821
include("$(MPY_DIR)/extmod/asyncio")  # noqa: F821
