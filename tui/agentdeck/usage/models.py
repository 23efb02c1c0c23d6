"""One name for one model: dates, vendors, regions and window marks are dropped from its id."""

import re
from functools import lru_cache
from typing import Final

_VENDOR: Final = re.compile(
    r"^(?:[\w.:-]+/)*(?:(?:us|eu|apac|ap|jp|au|ca|global|us-gov)\.)?(?:anthropic\.|openai\.|google\.)?"
)
_SUFFIX: Final = re.compile(r"(?:-v\d+(?::\d+)?|\[1m\]|@[\w-]+|:[a-z]+|-20\d{6}|-20\d\d-\d\d-\d\d)$")
_DOTTED: Final = re.compile(r"(?<=\d)\.(?=\d)")


@lru_cache(maxsize=1024)
def canonical(model: str) -> str:
    """Return the model's plain id: `us.anthropic.claude-haiku-4-5-20251001-v1:0` is `claude-haiku-4-5`.

    The forms are those of Claude Code's provider table (Bedrock, Vertex, gateways); `4.5` as gateways write it too.
    """
    name = model.strip()
    found = _VENDOR.match(name)
    if found and found.end() < len(name):
        name = name[found.end() :]
    while (shorter := _SUFFIX.sub("", name)) != name and shorter:
        name = shorter
    return _DOTTED.sub("-", name) if name.startswith("claude-") else name


def has_long_window_mark(model: str) -> bool:
    """Whether the id says that the window has a million tokens (`…[1m]`)."""
    return model.rstrip().endswith("[1m]")
