# What provisioning writes onto a board's flash as closer_config.py.
ZONES: int
OPEN_MS: int
CLOSE_MS: int
BOOST_MS: int
SWAPPED: int
