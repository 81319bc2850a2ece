"""The venue's REST as an OpenAPI document, made from the SDK: what each method sends, and what it declares to get
back."""

import asyncio
import inspect
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import lighter
from pydantic import TypeAdapter
from tests.integration.test_paper_rest import REFUSED, ZEROS, methods

REF = "#/components/schemas/{model}"
LEFT_OUT = {name for names in ZEROS.values() for name in names}
REFUSAL = {
    "type": "object",
    "properties": {"code": {"type": "integer", "minimum": 201}, "message": {"type": "string"}},
    "required": ["code", "message"],
}

Json = dict[str, Any]


def document(own: Json) -> Json:
    """The document; ``own`` holds schemas of parameters that the SDK declares as just any text."""
    schemas: Json = {}
    paths: Json = {}
    for method, model, (verb, path, operation) in asyncio.run(_operations(own)):
        operation["operationId"] = method
        operation["responses"] = _responses(method, model, schemas)
        paths.setdefault(path, {})[verb] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "Lighter", "version": "1.1.8"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


async def _operations(own: Json) -> list[tuple[str, Any, tuple[str, str, Json]]]:
    client = lighter.ApiClient(lighter.Configuration(host="http://venue"))
    found = [
        (method, inspect.signature(getattr(api, method)).return_annotation, _operation(api(client), method, own))
        for api, method in methods()
    ]
    await client.close()
    return found


def _operation(made: Any, method: str, own: Json) -> tuple[str, str, Json]:
    """Verb, path, parameters and body of a method: its own serializer is asked with a mark in each place."""
    serialize = getattr(made, f"_{method}_serialize")
    declared = inspect.signature(getattr(made, method)).parameters
    schemas = {name: TypeAdapter(one.annotation).json_schema() for name, one in declared.items() if name[0] != "_"}
    marks: Json = dict.fromkeys(inspect.signature(serialize).parameters)
    marks |= {name: [f"@{name}"] if _is_list(schema) else f"@{name}" for name, schema in schemas.items()}
    marks |= {"_request_auth": None, "_content_type": None, "_headers": {}, "_host_index": 0}
    verb, url, headers, body, form = serialize(**marks)[:5]

    def found(place: Any) -> list[tuple[str, str]]:
        return [(name, value[1:]) for name, value in place if str(value).startswith("@")]

    def one(name: str) -> Json:
        schema: Json = own.get(name) or _plain(schemas[name])
        return schema

    needed = {name for name in schemas if declared[name].default is inspect.Parameter.empty}
    parameters = [
        {"name": sent, "in": place, "required": name in needed, "schema": one(name)}
        for place, rows in (("query", parse_qsl(urlsplit(url).query)), ("header", headers.items()))
        for sent, name in found(rows)
    ]
    operation: Json = {"parameters": parameters}
    if form:
        properties = {sent: one(name) for sent, name in found(form)}
        required = [sent for sent, name in found(form) if name in needed]
        content = {"type": "object", "properties": properties, "required": required}
        operation["requestBody"] = {"required": True, "content": {headers["Content-Type"]: {"schema": content}}}
    elif body is not None:
        schema = one(str(body)[1:])
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return verb.lower(), urlsplit(url).path, operation


def _is_list(schema: Json) -> bool:
    return any(one.get("type") == "array" for one in (schema, *schema.get("anyOf", ())))


def _plain(schema: Json) -> Json:
    """A parameter's schema: one that may be left out is left out, not null."""
    kinds = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    return kinds[0] if kinds else {name: value for name, value in schema.items() if name != "description"}


def _responses(method: str, model: Any, schemas: Json) -> Json:
    """What a method declares to get, less what the venue leaves out; and the shape of every refusal."""
    refusal = {"description": "refused", "content": {"application/json": {"schema": REFUSAL}}}
    if method in REFUSED and method not in ("send_tx", "send_tx_batch", "tokens_revoke", "change_account_tier"):
        return {"default": refusal}
    schema = model.model_json_schema(ref_template=REF)
    for name, one in {**schema.pop("$defs", {}), model.__name__: schema}.items():
        one["required"] = [field for field in one.get("required", ()) if field not in LEFT_OUT]
        for field in LEFT_OUT & one.get("properties", {}).keys():
            one["properties"][field] = {}
        schemas[name] = one
    accepted: Json = {"$ref": REF.format(model=model.__name__)}
    if "code" in model.model_fields:
        has_code = {"type": "object", "properties": {"code": {"const": 200}}, "required": ["code"]}
        accepted = {"allOf": [accepted, has_code]}
    return {
        "200": {"description": "accepted", "content": {"application/json": {"schema": accepted}}},
        "default": refusal,
    }
