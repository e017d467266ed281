"""The fault campaign: named scenarios of trouble, played to the shipped firmware on simulated hardware, and judged by the water that really ran.

Rule: a verdict stands on the world's own meters and valves and on what a person truly asked for. The board's words count in two places only: a refusal may
take an allowance away, and a reported fault may explain water that a broken part lets run.
"""
