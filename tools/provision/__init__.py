"""`python -m tools.provision`: put the firmware on a board over its cable, describe the board to it, and show that it works.

Rule: the valves come first. Every write is ordered so that a cable pulled at any moment leaves a board that closes its valves at its next start, and
nothing half configured. Firmware files are data here. Secrets travel in files, over the cable and in memory: never on a command line, never in a log.
"""
