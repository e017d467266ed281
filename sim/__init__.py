"""The lawn, the sun and the board's hardware in software: the firmware's own code runs on it, in virtual time or live.

Rule: the simulator knows the firmware's files and the port's modules, never what the firmware decides. Ground truth (`World`)
is kept apart from what the firmware says.
"""
