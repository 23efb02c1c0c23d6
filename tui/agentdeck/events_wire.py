"""Events as bytes between our processes, and as plain JSON for people's programs."""

from typing import Final, get_args

import msgspec

from agentdeck.events import AnyEvent

KINDS: Final[dict[str, type[AnyEvent]]] = {kind.kind: kind for kind in get_args(AnyEvent)}
"""Every kind of event by its name."""

_encoder: Final = msgspec.msgpack.Encoder()
_decoders: Final = {name: msgspec.msgpack.Decoder(kind) for name, kind in KINDS.items()}


class _Wrapped(msgspec.Struct, array_like=True):
    kind: str
    event: msgspec.Raw


_wrapped: Final = msgspec.msgpack.Decoder(_Wrapped)


def encode(event: AnyEvent) -> bytes:
    return _encoder.encode(_Wrapped(event.kind, msgspec.Raw(_encoder.encode(event))))


def decode(data: bytes) -> AnyEvent:
    """Raises `msgspec.DecodeError` or `msgspec.ValidationError` for what `encode` did not make."""
    wrapped = _wrapped.decode(data)
    decoder = _decoders.get(wrapped.kind)
    if decoder is None:
        raise msgspec.ValidationError(f"there is no event called {wrapped.kind!r}")
    return decoder.decode(wrapped.event)


def plain(event: AnyEvent) -> dict[str, object]:
    """Return an event as JSON's own types, its kind first and its time as ISO 8601 in UTC."""
    fields: dict[str, object] = msgspec.to_builtins(event)
    return {"kind": event.kind, **fields}
