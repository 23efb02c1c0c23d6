"""The OpenAPI document: FastAPI's routes with the bodies as the one schema has them, said as precisely as they are."""

from typing import Any, Final

import msgspec
from fastapi import FastAPI

from agentdeck.gateway.socket import COOKIE
from agentdeck.protocol import viewers as v

_MODELS: Final = (
    v.Join, v.JoinCode, v.Joined, v.Me, v.Messages, v.Sent, v.Echo, v.Problem, v.Presence, v.Queue, v.SharedSessions,
    v.Screen, v.Snapshot,
)  # fmt: skip


def body_of(model: type[msgspec.Struct]) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def answers(model: type[msgspec.Struct], *codes: int, ok: int = 200) -> dict[int | str, dict[str, Any]]:
    def content(kind: type[msgspec.Struct]) -> dict[str, Any]:
        return {"application/json": {"schema": {"$ref": f"#/components/schemas/{kind.__name__}"}}}

    documented: dict[int | str, dict[str, Any]] = {ok: {"description": "done", "content": content(model)}}
    for code in (400, 403, 404, 413, 429, 503, *codes):
        about = ", ".join(f"{each.name}: {each.about}" for each in v.CODES if each.status == code)
        documented[code] = {"description": about or "refused", "content": content(v.Problem)}
    return documented


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with the bodies as the one schema has them."""
    made = FastAPI.openapi(app)
    _, components = msgspec.json.schema_components(_MODELS, ref_template="#/components/schemas/{name}")
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas.update(components)
    key = schemas["Sent"]["properties"]["id"]
    schemas["Sent"] = {"title": "Sent", "oneOf": [_sent(kind, key, schemas) for kind in v.KINDS if _over_http(kind)]}
    for path in made["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
            for answer in operation["responses"].values():
                for content in answer.get("content", {}).values():  # FastAPI puts what it guesses beside what we say
                    content["schema"] = {"$ref": content["schema"]["$ref"]} if "$ref" in content["schema"] else {}
    streamed = made["paths"]["/v1/s/{share}/events"]["get"]["responses"]["200"]
    streamed["content"] = {"text/event-stream": {}}
    drawn = made["paths"]["/v1/s/{share}/screen"]["get"]["responses"]["200"]
    drawn["content"]["text/plain"] = {"schema": {"type": "string"}}
    made["components"]["schemas"] = _without_tuples(schemas)
    made["components"]["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "cookie": {"type": "apiKey", "in": "cookie", "name": COOKIE},
    }
    return made


def _without_tuples(schema: Any) -> Any:
    """OpenAPI's tools do not agree on how to say what each place of an array holds."""
    if isinstance(schema, dict):
        kept = {name: _without_tuples(value) for name, value in schema.items() if name != "prefixItems"}
        return kept | {"items": {}} if "prefixItems" in schema else kept
    return [_without_tuples(each) for each in schema] if isinstance(schema, list) else schema


def _over_http(kind: v.Kind) -> bool:
    return kind.client is not None and kind.name not in ("auth", "resync")


def _sent(kind: v.Kind, key: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """What a client may send of one kind, precisely."""
    assert kind.client is not None
    _, components = msgspec.json.schema_components([kind.client], ref_template="#/components/schemas/{name}")
    schemas.update(components)
    body = {"$ref": f"#/components/schemas/{kind.client.__name__}"}
    return {
        "type": "object",
        "required": ["t", "d"] if components[kind.client.__name__].get("required") else ["t"],
        "properties": {"t": {"const": kind.name}, "id": key, "d": body},
    }
