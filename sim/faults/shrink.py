"""Shrinking: a life that went wrong, with as little trouble in it as still makes it go wrong.

Rule: first fewer deeds, then an earlier end, then shorter deeds; each try is a whole life. It knows no kind of fault.
"""

from collections.abc import Callable
from dataclasses import replace

from sim.faults.campaign import live
from sim.faults.life import Story
from sim.faults.verdict import Verdict, judge

TRIES_MAX = 200
MINUTE_US = 60_000_000

type Tell = Callable[[int, Story], object]


def sickness(verdict: Verdict) -> frozenset[str]:
    """In which ways a life went wrong."""
    names = ("opens_beyond_cap", "unaccounted_ml", "untold_runs", "crashes")
    found = {name for name in names if getattr(verdict, name)}
    return frozenset(found or ({"missed_runs"} if verdict.story else ()))


class Shrinker:
    """Shrinks one story; `tries` counts the lives that it took."""

    def __init__(self, story: Story, tell: Tell = lambda *_: None, files: dict[str, bytes] | None = None) -> None:
        self.story = story
        self.tries = 0
        self._tell = tell
        self._files = files
        self._sick = sickness(self._judge(story))

    def _judge(self, story: Story) -> Verdict:
        self.tries += 1
        return judge(live(story, self._files))

    def _take(self, story: Story) -> bool:
        """Keep a smaller story if it still goes wrong in the same way."""
        if self.tries >= TRIES_MAX or not sickness(self._judge(story)) >= self._sick:
            return False
        self.story = story
        self._tell(self.tries, story)
        return True

    def run(self) -> Story:
        """The smallest story found; the story itself if nothing is wrong with it."""
        if self._sick:
            self._fewer()
            self._earlier()
            self._shorter()
        return self.story

    def _fewer(self) -> None:
        size = max(1, len(self.story.deeds) // 2)
        while size and self.story.deeds:
            low = 0
            while low < len(self.story.deeds):
                deeds = self.story.deeds
                if not self._take(replace(self.story, deeds=deeds[:low] + deeds[low + size :])):
                    low += size
            size //= 2

    def _earlier(self) -> None:
        step_us = self.story.until_us // 2
        while step_us > 10 * MINUTE_US:
            if not self._take(replace(self.story, until_us=self.story.until_us - step_us)):
                step_us //= 2

    def _shorter(self) -> None:
        for index in range(len(self.story.deeds)):
            while self.story.deeds[index].for_us > MINUTE_US:
                deeds = list(self.story.deeds)
                deeds[index] = replace(deeds[index], for_us=deeds[index].for_us // 2)
                if not self._take(replace(self.story, deeds=tuple(deeds))):
                    break


def as_toml(story: Story) -> str:
    """The story as a scenario's file, with nothing left to draw: played with the same seed it is the same life."""
    scenario = story.scenario
    text = scenario.text.split("[[fault]]")[0].rstrip()
    lines = [line for line in text.splitlines() if not line.startswith("days")]
    head = next((number for number, line in enumerate(lines) if line.startswith("[")), len(lines))
    lines.insert(head, f"days = {story.until_us / 86_400e6!r}")
    return "\n".join(lines) + "\n\n" + "\n".join(deed.toml() for deed in story.deeds)
