"""A scripted conversation: what the loopback API answers to which prompt.

A script is a list of rules. A rule's pattern is searched in the person's latest prompt, and step k answers the k-th
model request after that prompt: step 0 may ask for a tool, step 1 then speaks once the tool's result has come back.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Say:
    text: str
    pace: float = 0.01
    """Seconds between two pieces of the text: a slow answer is one that can be interrupted."""


@dataclass(frozen=True, slots=True)
class UseTool:
    name: str
    input: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


Block = Say | UseTool | Pause
Step = tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    pattern: str
    steps: tuple[Step, ...]


NOTHING_SCRIPTED: Step = (Say("nothing is scripted for that"),)
ERRAND_DONE: Step = (Say("A short title"),)


class Script:
    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(rules)

    def step(self, prompt: str, turn: int) -> Step:
        """Return the answer to model request number `turn` after `prompt`."""
        for rule in self._rules:
            if re.search(rule.pattern, prompt, re.DOTALL | re.IGNORECASE):
                return rule.steps[min(turn, len(rule.steps) - 1)]
        return NOTHING_SCRIPTED


def pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)] or [""]
