"""The records of Claude Code's transcripts that say something about usage, as far as we read them."""

import msgspec

from agentdeck.usage.lines import Count


class Creation(msgspec.Struct, gc=False):
    ephemeral_1h_input_tokens: Count | None = None


class Server(msgspec.Struct, gc=False):
    web_search_requests: Count | None = None


class Iteration(msgspec.Struct, gc=False):
    type: str | None = None
    model: str | None = None
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cache_creation_input_tokens: Count | None = None
    cache_read_input_tokens: Count | None = None
    cache_creation: Creation | None = None


class Usage(msgspec.Struct, gc=False):
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    cache_creation_input_tokens: Count | None = None
    cache_read_input_tokens: Count | None = None
    cache_creation: Creation | None = None
    server_tool_use: Server | None = None
    speed: str | None = None
    inference_geo: str | None = None
    iterations: list[Iteration] | None = None


class Message(msgspec.Struct, gc=False):
    id: str | None = None
    model: str | None = None
    usage: Usage | None = None


class Row(msgspec.Struct, rename="camel", gc=False):
    type: str | None = None
    message: Message | None = None
    request_id: str | None = None
    uuid: str | None = None
    timestamp: str | None = None
    session_id: str | None = None
    is_sidechain: bool | None = None
    is_api_error_message: bool | None = None
    forked_from: object = None
    cwd: str | None = None


class CostState(msgspec.Struct, rename={"total": "totalCostUSD", "session": "sessionId"}):
    total: float
    type: str | None = None
    session: str | None = None


class CompactMetadata(msgspec.Struct):
    post_tokens: float | None = msgspec.field(name="postTokens", default=None)


class Boundary(msgspec.Struct):
    type: str | None = None
    subtype: str | None = None
    metadata: CompactMetadata | None = msgspec.field(name="compactMetadata", default=None)


class Block(msgspec.Struct):
    type: str | None = None
    text: str | None = None
    content: "str | list[Block] | None" = None


class LaterMessage(msgspec.Struct):
    content: str | list[Block] | None = None


class Later(msgspec.Struct, rename="camel"):
    type: str | None = None
    message: LaterMessage | None = None
    is_sidechain: bool | None = None


row = msgspec.json.Decoder(Row)
cost_state = msgspec.json.Decoder(CostState)
boundary = msgspec.json.Decoder(Boundary)
later = msgspec.json.Decoder(Later)


def key(row: Row, message: Message, line: memoryview) -> str:
    if message.id:
        return f"{message.id}:{row.request_id}" if row.request_id else message.id
    if row.uuid:
        return row.uuid
    import hashlib  # rarely needed, and slow to load

    return hashlib.sha256(line).hexdigest()
