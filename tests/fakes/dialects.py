"""The three model APIs as pure functions: a request's prompt, and an answer as server-sent events.

Each dialect has `latest` (the person's last prompt and how many model turns came after it) and
`stream`, which yields (seconds to wait first, bytes to send). Only as much of each API as the CLIs look at.
"""

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.fakes.script import Pause, Say, Step, UseTool, pieces

Json = dict[str, Any]
Sent = Iterator[tuple[float, bytes]]


class Request(NamedTuple):
    prompt: str
    turn: int
    errand: bool
    """Something that the CLI wants for itself beside the conversation: a title, a summary."""


def _id(prefix: str) -> str:
    return prefix + uuid.uuid4().hex[:24]


def _event(name: str, data: Json) -> bytes:
    return f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n".encode()


# ── Anthropic Messages ─────────────────────────────────────────────────────────────────────────


def anthropic_latest(body: Json) -> Request:
    prompt, turn = "", 0
    for message in body.get("messages", []):
        if message["role"] == "assistant":
            turn += 1
            continue
        content = message["content"]
        texts = [content] if isinstance(content, str) else [b["text"] for b in content if b.get("type") == "text"]
        texts = [re.sub(r"<system-reminder>.*?</system-reminder>", "", text, flags=re.DOTALL).strip() for text in texts]
        texts = [text for text in texts if text and not text.startswith("[Request interrupted")]
        if texts and message["role"] == "user":
            prompt, turn = texts[-1], 0
    return Request(prompt, turn, errand=not body.get("tools"))


def anthropic_wants_title(body: Json) -> bool:
    """Claude Code asks for a conversation title beside the conversation, as JSON of a given schema."""
    form = (body.get("output_config") or {}).get("format") or {}
    return "title" in ((form.get("schema") or {}).get("properties") or {})


def anthropic_whole(body: Json, step: Step) -> Json:
    content: list[Json] = []
    for block in step:
        if isinstance(block, Say):
            content.append({"type": "text", "text": block.text})
        elif isinstance(block, UseTool):
            content.append({"type": "tool_use", "id": _id("toolu_"), "name": block.name, "input": block.input})
    stop = "tool_use" if any(isinstance(block, UseTool) for block in step) else "end_turn"
    return {**_anthropic_message(body), "content": content, "stop_reason": stop}


def anthropic_stream(body: Json, step: Step) -> Sent:
    message = _anthropic_message(body)
    yield 0, _event("message_start", {"message": {**message, "content": [], "stop_reason": None}})
    index = 0
    stop = "end_turn"
    for block in step:
        match block:
            case Pause(seconds):
                yield seconds, _event("ping", {})
                continue
            case Say(text, pace):
                start: Json = {"type": "text", "text": ""}
                deltas = [{"type": "text_delta", "text": piece} for piece in pieces(text, 12)]
            case UseTool(name, given):
                stop, pace = "tool_use", 0.0
                start = {"type": "tool_use", "id": _id("toolu_"), "name": name, "input": {}}
                deltas = [{"type": "input_json_delta", "partial_json": json.dumps(given)}]
        yield 0, _event("content_block_start", {"index": index, "content_block": start})
        for delta in deltas:
            yield pace, _event("content_block_delta", {"index": index, "delta": delta})
        yield 0, _event("content_block_stop", {"index": index})
        index += 1
    ending = {"delta": {"stop_reason": stop, "stop_sequence": None}, "usage": {**message["usage"], "output_tokens": 20}}
    yield 0, _event("message_delta", ending)
    yield 0, _event("message_stop", {})


def _anthropic_message(body: Json) -> Json:
    usage = {
        "input_tokens": 10,
        "cache_creation_input_tokens": 100,
        "cache_read_input_tokens": 14000,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 100},
        "output_tokens": 1,
        "service_tier": "standard",
    }
    return {
        "id": _id("msg_"),
        "type": "message",
        "role": "assistant",
        "model": body.get("model"),
        "stop_sequence": None,
        "usage": usage,
    }


# ── OpenAI Responses ───────────────────────────────────────────────────────────────────────────

_CODEX_CONTEXT = ("<", "# AGENTS.md")
"""How the messages begin that Codex itself adds to the conversation in the person's name."""


def responses_latest(body: Json) -> Request:
    prompt, turn = "", 0
    model_spoke = False
    for item in body.get("input", []):
        kind, role = item.get("type", "message"), item.get("role")
        if kind == "message" and role == "user":
            content = item.get("content")
            text = content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content or [])
            if not text.startswith(_CODEX_CONTEXT):
                prompt, turn, model_spoke = text, 0, False
        elif kind.endswith("_output"):
            model_spoke = False
        elif (kind == "message" and role == "assistant") or kind.endswith("_call"):
            turn += not model_spoke
            model_spoke = True
    return Request(prompt, turn, errand=prompt.startswith("Generate a concise"))


def responses_stream(body: Json, step: Step) -> Sent:
    number = 0

    def event(name: str, data: Json) -> bytes:
        nonlocal number
        number += 1
        return _event(name, {"sequence_number": number - 1, **data})

    answer = {"id": _id("resp_"), "object": "response", "created_at": 0, "model": body.get("model")}
    yield 0, event("response.created", {"response": {**answer, "status": "in_progress", "output": []}})
    output: list[Json] = []
    for block in step:
        where = {"output_index": len(output)}
        match block:
            case Pause(seconds):
                yield seconds, b": waiting\n\n"
                continue
            case Say(text, pace):
                item: Json = {"type": "message", "id": _id("msg_"), "role": "assistant"}
                yield 0, event("response.output_item.added", {**where, "item": {**item, "content": []}})
                part = {"type": "output_text", "text": "", "annotations": []}
                where |= {"item_id": item["id"], "content_index": 0}
                yield 0, event("response.content_part.added", {**where, "part": part})
                for piece in pieces(text, 12):
                    yield pace, event("response.output_text.delta", {**where, "delta": piece})
                item |= {"status": "completed", "content": [{**part, "text": text}]}
            case UseTool(name, given):
                item = {"type": "function_call", "id": _id("fc_"), "call_id": _id("call_"), "name": name}
                item |= {"arguments": json.dumps(given), "status": "completed"}
                yield 0, event("response.output_item.added", {**where, "item": {**item, "arguments": ""}})
        yield 0, event("response.output_item.done", {"output_index": len(output), "item": item})
        output.append(item)
    usage = {
        "input_tokens": 3000,
        "input_tokens_details": {"cached_tokens": 2800},
        "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 3020,
    }
    done = {**answer, "status": "completed", "output": output, "usage": usage}
    yield 0, event("response.completed", {"response": done})


# ── Gemini generateContent ─────────────────────────────────────────────────────────────────────


def gemini_latest(body: Json) -> Request:
    prompt, turn = "", 0
    model_spoke = False
    for content in body.get("contents", []):
        parts = content.get("parts", [])
        if content.get("role") == "model":
            turn += not model_spoke
            model_spoke = True
            continue
        model_spoke = False
        texts = [part["text"].strip() for part in parts if part.get("text", "").strip()]
        texts = [text for text in texts if not text.startswith("<") and "We are setting up" not in text]
        if texts and not any("functionResponse" in part for part in parts):
            prompt, turn = texts[-1], 0
    return Request(prompt, turn, errand=not body.get("tools"))


def gemini_whole(model: str, step: Step) -> Json:
    parts: list[Json] = []
    for block in step:
        if isinstance(block, Say):
            parts.append({"text": block.text})
        elif isinstance(block, UseTool):
            parts.append({"functionCall": {"name": block.name, "args": block.input}})
    return _gemini_answer(model, parts, last=True)


def gemini_stream(model: str, step: Step) -> Sent:
    def event(parts: list[Json], *, last: bool = False) -> bytes:
        return f"data: {json.dumps(_gemini_answer(model, parts, last=last))}\n\n".encode()

    for block in step:
        match block:
            case Pause(seconds):
                yield seconds, b""
            case Say(text, pace):
                for piece in pieces(text, 24):
                    yield pace, event([{"text": piece}])
            case UseTool(name, given):
                yield 0, event([{"functionCall": {"name": name, "args": given}}])
    yield 0, event([{"text": ""}], last=True)


def _gemini_answer(model: str, parts: list[Json], *, last: bool) -> Json:
    candidate: Json = {"content": {"role": "model", "parts": parts}, "index": 0}
    if last:
        candidate["finishReason"] = "STOP"
    usage = {"promptTokenCount": 7000, "candidatesTokenCount": 12, "totalTokenCount": 7012}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": model, "responseId": _id("mock")}
