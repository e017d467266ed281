"""Weather records of real places as small files, and the script that made them (`convert.py`). SOURCES.md names each one's source and licence."""
