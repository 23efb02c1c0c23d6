"""What conversations are about, for the headings of a search: their titles, else how they began.

Each costs a look at its transcript's beginning and end, so what was read is kept until the transcript changes.
"""

import sqlite3
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from agentdeck.search.index import Index, Indexed
from agentdeck.search.portraits import portrait_of
from agentdeck.transcripts.roots import Found

KEPT: Final = 500
LONGEST: Final = 200
"""Characters of a name."""

Stamp = tuple[bytes, int, int]


class Names:
    """For one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: OrderedDict[Stamp, str] = OrderedDict()

    def read(self, keys: Iterable[str]) -> dict[str, str]:
        """Return the names of conversations, by `provider:id`; one that has none, or is not in the index, is left out.

        Nothing is worth an error here: an index that cannot be read names nothing.
        """
        names: dict[str, str] = {}
        try:
            with Index(self._path) as index:
                for key in keys:
                    provider, _, session = key.partition(":")
                    for file in index.transcripts_of(provider, session):
                        names[key] = self._name(file) or names.get(key, "")
        except (OSError, sqlite3.Error):
            pass
        return {key: name for key, name in names.items() if name}

    def _name(self, file: Indexed) -> str:
        stamp = file.path, file.size, file.changed
        if stamp not in self._known:
            found = Found(file.agent, file.path, file.device, file.inode, file.size, file.changed)
            portrait = portrait_of(found)
            self._known[stamp] = " ".join((portrait.title or portrait.prompt).split())[:LONGEST]
        self._known.move_to_end(stamp)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        return self._known[stamp]
