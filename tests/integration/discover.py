"""What rpc.discover says, as values: for each parameter one that fits and those that just don't; and whether a reply is as promised."""
import re

WHOLE = 2 ** 53 - 1
ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


class Discovery:
    def __init__(self, document):
        self.document = document
        self.methods = {method["name"]: method for method in document["methods"]}

    def resolve(self, schema):
        while "$ref" in schema:
            at = self.document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                at = at[part]
            schema = at
        return schema

    def fitting(self, schema):
        schema = self.resolve(schema)
        if "anyOf" in schema or "allOf" in schema:
            return self.fitting((schema.get("anyOf") or schema["allOf"])[0])
        if "enum" in schema:
            return schema["enum"][0]
        kind = schema.get("type")
        if kind == "string":
            if schema.get("pattern", "").startswith("^[0-7]"):
                return ULID
            return "a" * max(schema.get("minLength", 0), 1 if schema.get("maxLength", 1) else 0)
        if kind == "integer":
            return max(schema.get("minimum", 0), 0)
        if kind == "boolean":
            return True
        if kind == "array":
            return [self.fitting(schema["items"])] * schema.get("minItems", 0)
        if kind == "object":
            return {name: self.fitting(schema["properties"][name]) for name in schema.get("required", ())}
        raise AssertionError(f"no value for {schema}")

    def misfits(self, schema):
        """(value, what is wrong with it), one just below and one just above each limit, and every other type."""
        schema = self.resolve(schema)
        if "anyOf" in schema:
            schema = self.resolve(schema["anyOf"][0])
        kind = schema.get("type")
        for value, is_kind in ((7, "integer"), ("text", "string"), (True, "boolean"), ([], "array"), ({}, "object"), (1.5, "number")):
            if is_kind != kind:
                yield value, f"a {is_kind} for a {kind}"
        if "enum" in schema:
            yield "no such value", "not in the enum"
            return
        if kind == "string" and "pattern" in schema:
            for value in ("", ULID[:-1], ULID + "0", "8" + ULID[1:], ULID[:-1] + "U"):
                yield value, "not as the pattern says"
        elif kind == "string":
            if schema.get("minLength", 0):
                yield "a" * (schema["minLength"] - 1), "one below minLength"
            if "maxLength" in schema:
                yield "é" * (schema["maxLength"] + 1), "one above maxLength"
            yield "a\0b" + "a" * schema.get("minLength", 0), "a NUL"
        elif kind == "integer":
            yield schema.get("minimum", -WHOLE) - 1, "one below minimum"
            yield schema.get("maximum", WHOLE) + 1, "one above maximum"
        elif kind == "array":
            item = self.fitting(schema["items"])
            yield [item] * (schema["maxItems"] + 1), "one item too many"
            if schema.get("minItems"):
                yield [item] * (schema["minItems"] - 1), "one item too few"
            for value, why in self.misfits(schema["items"]):
                yield [value], f"an item: {why}"
        elif kind == "object":
            fitting = self.fitting(schema)
            for name, member in schema["properties"].items():
                for value, why in self.misfits(member):
                    yield {**fitting, name: value}, f"{name}: {why}"
            for name in schema.get("required", ()):
                yield {key: fitting[key] for key in fitting if key != name}, f"without {name}"

    def params(self, method):
        """The required ones, each with a value that fits."""
        return {param["name"]: self.fitting(param["schema"]) for param in method["params"] if param["required"]}

    def check(self, schema, value, at="result"):
        """Fails where the value is not as the schema says."""
        schema = self.resolve(schema)
        for part in schema.get("allOf", ()):
            self.check(part, value, at)
        if "anyOf" in schema:
            if value is None:
                return
            schema = self.resolve(schema["anyOf"][0])
        if "enum" in schema:
            assert value in schema["enum"], f"{at}: {value!r}"
        kind = schema.get("type")
        if kind == "object":
            assert isinstance(value, dict), f"{at}: {value!r}"
            for name in schema.get("required", ()):
                assert name in value, f"{at}.{name} is missing"
            for name, member in schema.get("properties", {}).items():
                if name in value:
                    self.check(member, value[name], f"{at}.{name}")
        elif kind == "array":
            assert isinstance(value, list) and schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", WHOLE), f"{at}: {value!r}"
            for i, item in enumerate(value):
                self.check(schema["items"], item, f"{at}[{i}]")
        elif kind == "string":
            assert isinstance(value, str), f"{at}: {value!r}"
            assert schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", WHOLE), f"{at}: {len(value)} characters"
            assert re.search(schema.get("pattern", ""), value), f"{at}: {value!r}"
        elif kind == "integer":
            assert type(value) is int and schema.get("minimum", -WHOLE) <= value <= schema.get("maximum", WHOLE), f"{at}: {value!r}"
        elif kind == "boolean":
            assert type(value) is bool, f"{at}: {value!r}"
