"""Searching all conversations, on the wire: a question, its hits newest first, how far the index is, resuming."""

import msgspec

from agentdeck.protocol.base import Reply, Request


class Place(msgspec.Struct, frozen=True, array_like=True):
    """Where the words were found. `at` is unix seconds, 0 when it is not known."""

    provider: str
    session: str
    """The provider's own session id."""
    project: str
    at: float
    role: str
    """user, assistant, thinking, tool, result, error or title."""
    agent: str
    """The sub-agent that it is of; empty for the main conversation."""
    turn: int
    """Number of its message in the main conversation, from 0, a sub-agent's that during which it spoke; -1: of none."""
    snippet: str
    """What stands around the first of the words, on one line."""
    marks: tuple[tuple[int, int], ...] = ()
    """Where in `snippet` the words are."""

    @property
    def key(self) -> str:
        return f"{self.provider}:{self.session}"

    @property
    def words(self) -> tuple[str, ...]:
        """The words as they stand there."""
        return tuple(dict.fromkeys(self.snippet[begin:end] for begin, end in self.marks))


class OpenSearch(Request, tag="open_search"):
    """Keep the index up to date and push `Indexing` as it grows, until `on` is False. Answered with `Indexing`."""

    on: bool = True


class Search(Request, tag="search"):
    """Ask for `Hits`. A client's next question ends the one before, which is then answered as outdated.

    `text` is what `agentdeck search` takes; the word at its end counts as a beginning, because it is being typed.
    """

    text: str
    count: int = 50
    each: int = 0
    """Places of one conversation at most; 0: all of them."""
    within: str = ""
    """Only in the conversation `provider:id`."""


class ReadNames(Request, tag="read_names"):
    """Ask for `Names`: what conversations, `provider:id`, are about."""

    keys: tuple[str, ...]


class ResumeFound(Request, tag="resume_found"):
    """Go on with a conversation that rests, in a session of ours. Answered with `Done`.

    Raises `SessionError` when somebody has it already or it cannot be resumed.
    """

    provider: str
    session: str
    cwd: str
    env: dict[str, str]
    cols: int = 80
    rows: int = 24


class Indexing(Reply, tag="indexing"):
    """How far the index is: transcripts read, of those that have to be."""

    done: int = 0
    of: int = 0
    complete: bool = False
    """All that there was has been read."""
    empty: bool = False
    """And there is nothing in it."""
    problem: str = ""
    """What is wrong with it, in a sentence."""


class Hits(Reply, tag="hits"):
    text: str
    places: tuple[Place, ...] = ()
    """Newest first."""
    more: bool = False
    """There are more than were asked for."""
    fuller: tuple[str, ...] = ()
    """Conversations, `provider:id`, of which there are more than `each` places."""
    outdated: bool = False
    """The client has asked something else meanwhile; these are not all."""


class Names(Reply, tag="names"):
    names: dict[str, str]
    """Titles, or else first prompts; a conversation that has neither is left out."""


SearchRequests = OpenSearch | Search | ReadNames | ResumeFound
SearchReplies = Indexing | Hits | Names
