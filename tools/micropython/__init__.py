"""How firmware becomes what a board runs: one bundle of bytecode in a ROMFS image. And the interpreter that stands for a board."""
