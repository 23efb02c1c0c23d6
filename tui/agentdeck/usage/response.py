"""One billed answer of a model: the unit that everything about tokens and cost is summed from.

A CLI may write it once, many times or in parts; the modules of the providers turn what they wrote into these, and the
ledger keeps one per key.
"""

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple


class Response(NamedTuple):
    """Token counts do not overlap, but `reasoning` is part of `output`. Times are unix milliseconds, 0 when unknown."""

    agent: str
    key: str
    """Names this response for ever, within its agent."""
    session: str
    model: str
    """The canonical id."""
    at: int
    input: int
    cache_write_5m: int
    cache_write_1h: int
    cache_read: int
    output: int
    reasoning: int = 0
    web_search: int = 0
    tier: str = ""
    """fast or priority when billed so."""
    factor: float = 1.0
    """What the place of inference multiplies the token cost with."""
    message: str = ""
    """The message's own id: replays of it under another request are dropped."""
    sidechain: bool = False
    """A sub-agent's or an aside's."""
    copied: bool = False
    """Its row says that it was copied from another session."""
    counted: bool = True
    """False for extra usage inside another message (an advisor): cost, but no message of its own."""

    @property
    def prompt(self) -> int:
        """Tokens of the whole prompt."""
        return self.input + self.cache_write_5m + self.cache_write_1h + self.cache_read

    @property
    def total(self) -> int:
        return self.prompt + self.output


made: Final[Callable[[tuple[object, ...]], Response]] = partial(tuple.__new__, Response)
"""A response of all its fields in their order, for where there are hundreds of thousands of them: twice as fast."""
