"""Write docs/protocol.md from the schema itself: `python -m tests.share.protocol_page`."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from agentdeck.protocol import viewers as v

PAGE: Final = Path(__file__).parents[2] / "docs" / "protocol.md"

INTRODUCTION: Final = f"""\
# The protocol of a shared session

`agentdeck-share/{v.VERSION}`: what a shared session says to browsers, terminal joiners and scripts, and what they may
say to it. This page is generated from `protocol/viewers.py`; `python -m tests.share.protocol_page` writes it anew.

## In short

1. A link is `http://127.0.0.1:PORT/s/SHARE#SECRET`. The secret never goes into a URL that is requested: exchange it
   with `POST /v1/s/SHARE/join` and `{{"secret": …, "name": …}}`. A page gets a cookie (`HttpOnly`, `SameSite=Strict`,
   only for this share) and a `csrf` value to keep in memory; after a reload `GET /v1/s/SHARE` tells it again to whoever
   has the cookie. A program sends `"bearer": true`, without an `Origin`, and gets a `token` for
   `Authorization: Bearer`.
2. A typed code goes to `POST /v1/join` and `{{"code": …, "name": …}}`. The answer is 202 with three `words`; its owner
   sees the same words and lets the guest in, or not. Until then everything but `GET /v1/s/SHARE` answers
   `NOT_APPROVED`; a socket stays open, says `waiting`, and goes on with `hello` when the guest is let in.
3. Connect a WebSocket to `/v1/s/SHARE/ws` with the subprotocol `{v.SUBPROTOCOL}`. The first message is `auth` within 5
   seconds, with `csrf` when you came with a cookie, and to resume with `since` (the last `seq` that you had) and
   `epoch` (of `hello`).
4. You hear `hello`, `snapshot`, then every event after `since` (or the last 200 when you are new), then what happens.
   Older ones: `GET /v1/s/SHARE/history` (what the agent did), `talk` (what people said) or `messages` (both), with
   `before` the oldest `seq` that you have, and `before` the `next` of the answer for more, until that is 0.

## Rules

- **Envelope.** Every message from the server is a JSON object: `v` {v.VERSION} · `t` kind · `d` body · `ts` unix
  time · `seq` for durable kinds · `by` who (`owner`, `session` or a participant) · `id` the key that its sender chose.
  A client sends `t`, `d` and `id`. Unknown fields and unknown kinds are to be ignored.
- **Durable kinds** carry `seq`, which counts up by one in each share. None is lost and none comes twice: after a
  reconnect with `since` the next is `since + 1`. Another `epoch` means another log: forget everything.
- **Other kinds** are latest-wins: they are not replayed, the snapshot has their newest values.
- **Keys.** Give `chat`, `command` and `interrupt` an `id` of up to 64 characters. What is sent again with the same `id`
  happens once: the answer is the first one's, with `duplicate`.
- **Answers.** A message with an `id` is answered by `echo` or `error`, whose `ref` is that `id`. One without an `id` is
  answered only when it is refused.
- **Screens.** Apply a `screen` if it is `full`, or if its `from` is the `tseq` that you have; else send `resync`. A
  line is its row and its runs; a run is a text and the parameters of an SGR sequence, so `["hi", "1;31"]` is drawn as
  `ESC[0;1;31m` and `hi`. Cells after the last run are blank, and a row that is not named has not changed; with `full`
  it is blank.
- **Limits.** A message has at most {v.MESSAGE_LIMIT // 1024} KB. 60 messages a second end the connection. Who does not
  take what was sent for 8 seconds is cut off and may come back.
- **Server-sent events.** `GET /v1/s/SHARE/events` tells the same messages, with `id` (`seq`) and `event` (the kind);
  `Last-Event-ID` resumes. A comment comes at least every 15 seconds.
- **HTTP.** Bodies are JSON. What changes something needs the cookie, an `Origin` of ours and `X-Agentdeck-CSRF`, or a
  Bearer. `GET /v1/openapi.json` describes every route. Refusals have the body of `error`.
- **The owner's scripts** may ask `GET /api/sessions?claude_session_id=ID` with the Bearer in `gateway.token` of the run
  directory, from this machine only.

Redaction is best effort: known secrets, what looks like one, and names of places and people are covered before anything
leaves the owner's machine. Say so where people can see it.
"""


def page() -> str:
    parts = [INTRODUCTION, "## Kinds\n", _kinds(), "## Who may send what\n", _rights(), "## Bodies\n"]
    parts += [_body(model) for model in _models()]
    parts += ["## Refusals and close codes\n", _codes(), "## HTTP\n", _routes()]
    return "\n".join(parts).rstrip() + "\n"


def _kinds() -> str:
    lines = ["| kind | from the server | from clients | durable | what it is |", "|---|---|---|---|---|"]
    lines += [
        f"| `{kind.name}` | {_link(kind.server)} | {_link(kind.client)} | {'yes' * kind.durable} | {kind.about} |"
        for kind in v.KINDS
    ]
    return "\n".join(lines) + "\n"


def _link(model: type[msgspec.Struct] | None) -> str:
    return f"[{model.__name__}](#{model.__name__.lower()})" if model is not None else ""


def _rights() -> str:
    lines = [f"| kind | {' | '.join(v.ROLES)} |", "|---|" + "---|" * len(v.ROLES)]
    from agentdeck.share.roles import may

    for kind in v.KINDS:
        if kind.client is not None:
            cells = [
                "yes" if may(role, kind.name) else "with hands" if may(role, kind.name, hands=True) else "no"
                for role in v.ROLES
            ]
            lines.append(f"| `{kind.name}` | {' | '.join(cells)} |")
    lines += ["", "The owner speaks from the deck and the command line, never over the network."]
    return "\n".join(lines) + "\n"


def _models() -> Iterator[type[msgspec.Struct]]:
    roots = [model for kind in v.KINDS for model in (kind.server, kind.client) if model is not None]
    extra: list[type[msgspec.Struct]] = [v.Participant, v.QueueItem, v.FileTouched]
    http: list[type[msgspec.Struct]] = [
        v.Envelope,
        v.Sent,
        v.Join,
        v.JoinCode,
        v.Joined,
        v.Me,
        v.Messages,
        v.SharedSession,
    ]
    yield from dict.fromkeys([*roots, *extra, *http])


def _body(model: type[msgspec.Struct]) -> str:
    _, components = msgspec.json.schema_components([model])
    schema = components[model.__name__]
    about = " ".join((model.__doc__ or "").split())
    if about.startswith(f"{model.__name__}("):
        about = ""
    lines = [f"### {model.__name__}\n"]
    if about:
        lines.append(f"{about}\n")
    properties: dict[str, Any] = schema.get("properties", {})
    if not properties:
        lines.append("No fields.\n")
        return "\n".join(lines)
    lines += ["| field | type | |", "|---|---|---|"]
    required = schema.get("required", [])
    for name, found in properties.items():
        notes = [found.get("description", "")]
        if name not in required and "default" in found:
            notes.append(f"default `{msgspec.json.encode(found['default']).decode()}`")
        for limit, word in (("maxLength", "at most"), ("minLength", "at least")):
            if limit in found:
                notes.append(f"{word} {found[limit]} characters")
        lines.append(f"| `{name}` | {_type(found)} | {'; '.join(filter(None, notes))} |")
    return "\n".join(lines) + "\n"


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if schema.get("type") == "array":
        if "prefixItems" in schema:
            return f"[{', '.join(_type(each) for each in schema['prefixItems'])}]"
        return f"list of {_type(schema['items'])}" if schema.get("items") else "list"
    if schema.get("type") == "object":
        values = schema.get("additionalProperties")
        return f"object of {_type(values)}" if isinstance(values, dict) else "object"
    return str(schema.get("type", "any JSON"))


def _codes() -> str:
    lines = ["| code | HTTP | close | reconnect | |", "|---|---|---|---|---|"]
    lines += [f"| `{c.name}` | {c.status} | {c.close} | {c.reconnect} | {c.about} |" for c in v.CODES]
    lines += [
        "",
        "`1001` and `1012`: the gateway is started anew, reconnect. `1009`: a message was larger than all limits.",
    ]
    return "\n".join(lines) + "\n"


def _routes() -> str:
    from agentdeck.gateway.routes import documented

    lines = ["| | | |", "|---|---|---|"]
    for path, operations in documented()["paths"].items():
        for method, operation in operations.items():
            about = " ".join(re.sub(r"\s+", " ", operation.get("description", "")).split())
            lines.append(f"| {method.upper()} | `{path}` | {about} |")
    lines.append("| WebSocket | `/v1/s/{share}/ws` | The duplex connection described above. |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
