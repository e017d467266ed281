"""The verbs of `python -m sim`, and what they share for a person at a terminal."""
