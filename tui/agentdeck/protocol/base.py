"""What every message between a client and the hub has."""

import msgspec


class Request(msgspec.Struct, kw_only=True, tag_field="do"):
    id: int = 0
    """Chosen by the client; the reply repeats it."""


class Reply(msgspec.Struct, kw_only=True, tag_field="is"):
    id: int = 0
    """The request that this answers; 0 for a push."""
