"""Proofs: an exhaustive search over the shipped core, its hands, its books and its closer, against everything that the world may do to them.

Rule: what is proved is the code that the board runs, called here and never copied; only the hardware and the loop around it are ours.
`python -m tests.proofs.model --help`
"""

from sim.provision import find_firmware

find_firmware()  # run as a program, not by pytest
