"""The OpenRPC document: its structure by the specification (1.3), and that it says what the schemas do."""

import json
import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("ASSIST_BUILD", ROOT / "build"))

# What the specification allows in each object, beside x-*: required, and optional.
OBJECTS = {
    "document": ({"openrpc", "info", "methods"}, {"servers", "components", "externalDocs"}),
    "info": ({"title", "version"}, {"description", "termsOfService", "contact", "license"}),
    "method": (
        {"name", "params", "result"},
        {"tags", "summary", "description", "externalDocs", "deprecated", "servers", "errors", "links", "paramStructure", "examples"},
    ),
    "descriptor": ({"name", "schema"}, {"summary", "description", "required", "deprecated"}),
    "error": ({"code", "message"}, {"data"}),
}
# What we use of JSON Schema draft 7.
KEYWORDS = {
    "type", "title", "description", "properties", "required", "items", "minItems", "maxItems", "uniqueItems", "minimum", "maximum",
    "minLength", "maxLength", "pattern", "enum", "default", "allOf", "anyOf", "contentMediaType", "$ref",
}  # fmt: skip


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    directory = tmp_path_factory.mktemp("reference")
    subprocess.run([BUILD / "bin" / "assist-reference", directory], check=True)
    return json.loads((directory / "openrpc.json").read_text(encoding="utf-8"))


def public_methods():
    """Names and roles as the schema files have them, read without the compiler."""
    methods = {}
    for path in sorted((ROOT / "schemas").glob("*.schema")):
        text = re.sub(r"#.*", "", path.read_text(encoding="utf-8"))
        for name, attributes in re.findall(r"^method\s+(\S+)([^{]*)\{", text, re.M):
            role = re.search(r"\brole\s+(\w+)", attributes)
            via = re.search(r"\bvia\s+(\w+)", attributes)
            if role and (not via or via[1] == "rpc"):
                methods[name] = role[1]
    return methods


def walk(value):
    yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(child)


def resolve(document, ref):
    assert ref.startswith("#/"), ref
    at = document
    for part in ref[2:].split("/"):
        assert part in at, f"{ref} leads nowhere"
        at = at[part]
    return at


def holds(value, kind):
    required, optional = OBJECTS[kind]
    own = {name for name in value if not name.startswith("x-")}
    assert required <= own, f"{kind} lacks {required - own}"
    assert own <= required | optional, f"{kind} has {own - required - optional}"


def is_schema(document, schema):
    assert isinstance(schema, dict)
    assert {name for name in schema if not name.startswith("x-")} <= KEYWORDS, schema
    if "$ref" in schema:
        assert set(schema) == {"$ref"}, "a $ref hides what stands beside it"
        resolve(document, schema["$ref"])
    if "type" in schema:
        assert schema["type"] in ("object", "array", "string", "integer", "boolean", "null")
    if schema.get("type") == "object":
        assert set(schema["required"]) <= set(schema["properties"])
    if schema.get("type") == "array":
        assert 0 <= schema["minItems"] <= schema["maxItems"]
    if schema.get("type") == "integer":
        assert -(2**53) < schema["minimum"] <= schema["maximum"] < 2**53
    if "minLength" in schema:
        assert 0 <= schema["minLength"] <= schema["maxLength"]
    if "pattern" in schema:
        re.compile(schema["pattern"])
    if "enum" in schema:
        assert schema["enum"] and len(set(schema["enum"])) == len(schema["enum"])
    for inner in [*schema.get("properties", {}).values(), *schema.get("allOf", []), *schema.get("anyOf", [])]:
        is_schema(document, inner)
    if "items" in schema:
        is_schema(document, schema["items"])


def test_the_document_has_the_members_that_the_specification_asks_for(document):
    holds(document, "document")
    assert re.fullmatch(r"1\.3\.\d+", document["openrpc"])
    holds(document["info"], "info")
    assert set(document["components"]) == {"schemas", "errors"}


def test_every_public_method_is_listed_once_with_its_role(document):
    names = [method["name"] for method in document["methods"]]
    assert len(names) == len(set(names))
    assert {method["name"]: method["x-role"] for method in document["methods"]} == public_methods()
    assert "ticket.create" in names


def test_every_method_is_described_whole(document):
    for method in document["methods"]:
        holds(method, "method")
        assert method["paramStructure"] == "by-name"
        assert method.get("summary"), f"{method['name']} has no documentation"
        names = [param["name"] for param in method["params"]]
        assert len(names) == len(set(names))
        for descriptor in [*method["params"], method["result"]]:
            holds(descriptor, "descriptor")
            is_schema(document, descriptor["schema"])
        if method.get("x-mutates"):
            assert not next(param for param in method["params"] if param["name"] == "op_id")["required"]


def test_every_reference_leads_somewhere_and_every_component_is_used(document):
    refs = {value["$ref"] for value in walk(document) if isinstance(value, dict) and "$ref" in value}
    for ref in refs:
        resolve(document, ref)
    for name, schema in document["components"]["schemas"].items():
        is_schema(document, schema)
        assert f"#/components/schemas/{name}" in refs, f"nothing uses {name}"


def test_errors_have_their_codes_and_say_what_they_mean(document):
    errors = document["components"]["errors"]
    for name, error in errors.items():
        holds(error, "error")
        assert error["message"] == name
        assert -32768 <= error["code"] <= -32000
        assert document["x-errors"][name]
    assert errors["NotFound"]["code"] == -32003
    assert errors["InvalidParams"]["code"] == -32602


def test_limits_come_from_the_schemas(document):
    create = next(method for method in document["methods"] if method["name"] == "ticket.create")
    subject = next(param for param in create["params"] if param["name"] == "subject")
    assert subject["required"]
    assert (subject["schema"]["minLength"], subject["schema"]["maxLength"]) == (1, 200)
    ulid = document["components"]["schemas"]["Ticket"]["properties"]["id"]["pattern"]
    assert re.search(ulid, "01ARZ3NDEKTSV4RRFFQ69G5FAV")
    for wrong in ("81ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKTSV4RRFFQ69G5FA", "01ARZ3NDEKTSV4RRFFQ69G5FAU", "01ARZ3NDEKTSV4RRFFQ69G5FAVX"):
        assert not re.search(ulid, wrong)
