"""The size of one conversation's context, response by response: what made it grow, when it was summarized.

Exact where responses report their prompts. Growth is what the prompt gained beyond the last answer, so no tokenizer is
needed; its cause is the largest share of the text that came between, an estimate by characters. A loss of context is a
`record` when the transcript says so, else `inferred` (the prompt was at least 40 % of the window and fell below half)
or `pruned` (it fell by at least 5,000 tokens and a tenth). Nothing is compared across a recorded boundary.
"""

from typing import Final, NamedTuple

GROWTH_TOKENS: Final = 2000
GROWTH_SHARE: Final = 0.02
"""Of the window. Less than either is no growth worth telling."""

PRUNED_TOKENS: Final = 5000
PRUNED_SHARE: Final = 0.10

INFERRED_WINDOW: Final = 0.4
INFERRED_FALL: Final = 0.5

LARGE: Final = 1_000_000
"""A prompt that does not fit into the window that we believed in proves at least this one."""

CHARACTERS_PER_TOKEN: Final = 4

MOST_CAUSES: Final = 100


class Growth(NamedTuple):
    tokens: int
    """Gained beyond the last answer."""
    cause: str
    """As the caller names the parts: a tool's name, user, …; unknown when nothing came between."""
    prompt: int
    """The new size."""


class Shrink(NamedTuple):
    how: str
    """record, inferred or pruned."""
    before: int
    after: int

    @property
    def ratio(self) -> float:
        """What is left, as a share of what was; 0.0 when nothing is known of before."""
        return self.after / self.before if self.before else 0.0


class ContextMeter:
    """Fold texts, responses and boundaries in their order. Counts are tokens, sizes of texts characters."""

    def __init__(self, window: int = 200_000) -> None:
        self.window = window
        self.assumed = False
        """The window was raised because a prompt was larger."""
        self.prompt = 0
        """Tokens in the context now; after a boundary what its record says."""
        self.answer = 0
        """Tokens of the last answer."""
        self.responses = 0
        self.sum_prompt = 0
        self.sum_answer = 0
        self.overhead: int | None = None
        """Estimate: tokens of the first prompt that its own text does not explain (system prompt, tools, memory)."""
        self._compare = 0
        """The prompt to compare the next one with; 0 when there is none, as after a boundary."""
        self._last: tuple[str, int, int] = ("", 0, 0)
        self._between: dict[str, int] = {}
        self._chars = 0
        self._result_chars = 0

    @property
    def result_share(self) -> float | None:
        """Estimate: share of the results of calls in the text since the last boundary; None without any text."""
        return self._result_chars / self._chars if self._chars else None

    def add(self, cause: str, characters: int, *, is_result: bool = False) -> None:
        """A text came into the context that is not an answer's."""
        if cause not in self._between and len(self._between) >= MOST_CAUSES:
            cause = "other"
        self._between[cause] = self._between.get(cause, 0) + characters
        self._chars += characters
        self._result_chars += characters if is_result else 0

    def say(self, characters: int) -> None:
        """The agent itself wrote something; it is part of an answer, whose tokens are counted."""
        self._chars += characters

    def respond(self, message: str, prompt: int, answer: int) -> Growth | Shrink | None:
        """A response reported its tokens; return what changed since the one before.

        One response may be told several times, under the same message id or, where ids are of parts, with the same
        counts; it is counted once, as it was told last.
        """
        if not prompt:
            return None
        known, *counts = self._last
        again = self.responses and ((message and message == known) or counts == [prompt, answer])
        before, last_answer = self._compare, self.answer
        if again:
            self.sum_prompt -= counts[0]
            self.sum_answer -= counts[1]
        self.sum_prompt += prompt
        self.sum_answer += answer
        self.prompt, self._compare, self.answer = prompt, prompt, answer
        self._last = message, prompt, answer
        if again:
            return None
        causes, self._between = self._between, {}
        if not self.responses:
            self.overhead = max(0, prompt - causes.get("user", 0) // CHARACTERS_PER_TOKEN)
        self.responses += 1
        if prompt > self.window:
            self.window, self.assumed = max(LARGE, prompt), True
        return self._change(before, last_answer, prompt, causes) if before else None

    def boundary(self, before: int | None, after: int | None) -> Shrink | None:
        """The transcript says that the context was summarized; None when it does not say to what."""
        was = before if before is not None else self.prompt + self.answer
        self.prompt, self._compare, self.answer, self._between = after or 0, 0, 0, {}
        self._chars = self._result_chars = 0
        return Shrink("record", was, after) if after is not None else None

    def _change(self, before: int, answer: int, prompt: int, causes: dict[str, int]) -> Growth | Shrink | None:
        grown = prompt - before - answer
        if grown >= max(GROWTH_TOKENS, GROWTH_SHARE * self.window):
            cause = max(causes, key=causes.__getitem__) if causes else "unknown"
            return Growth(grown, cause, prompt)
        was = before + answer
        if was >= INFERRED_WINDOW * self.window and prompt < INFERRED_FALL * was:
            return Shrink("inferred", was, prompt)
        if was - prompt >= PRUNED_TOKENS and was - prompt >= PRUNED_SHARE * was:
            return Shrink("pruned", was, prompt)
        return None
