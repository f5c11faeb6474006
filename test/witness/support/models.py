"""AWS's own models of its interfaces, as botocore has them, and what a value has against them.

botocore's validator knows required and unknown members and types. What it leaves to the service is looked at here: lengths,
ranges, patterns and enumerations.
"""

import re
from datetime import datetime

import botocore.session
from botocore.validate import ParamValidator

_session = botocore.session.get_session()
_services = {}


def operation(service, name):
    """The model of an operation; an error where the service has none of that name."""
    if service not in _services:
        _services[service] = _session.get_service_model(service)
    return _services[service].operation_model(name)


class Problems:
    """What values have against their models, a sentence each; `looked` counts the constraints that were looked at."""

    def __init__(self):
        self.looked = 0
        self.unreadable = set()

    def of(self, value, shape, path):
        """Every problem of a value of that shape, which has come from JSON or from botocore's own parser."""
        value = _restored(value, shape)
        report = ParamValidator().validate(value, shape)
        found = [f"{path}: {line}" for line in report.generate_report().split("\n")] if report.has_errors() else []
        self._walk(value, shape, path, found)
        return found

    def _walk(self, value, shape, path, found):
        kind = shape.type_name
        if kind == "structure" and isinstance(value, dict):
            for name, inner in value.items():
                if name in shape.members and inner is not None:
                    self._walk(inner, shape.members[name], f"{path}.{name}", found)
        elif kind == "list" and isinstance(value, (list, tuple)):
            for inner in value:
                self._walk(inner, shape.member, f"{path}[]", found)
            self._bounds(len(value), shape, path, found)
        elif kind == "map" and isinstance(value, dict):
            for key, inner in value.items():
                self._walk(key, shape.key, f"{path} (a key)", found)
                self._walk(inner, shape.value, f"{path}.*", found)
            self._bounds(len(value), shape, path, found)
        elif kind == "string" and isinstance(value, str):
            self._text(value, shape, path, found)
            self._bounds(len(value), shape, path, found)
        elif kind == "blob" and isinstance(value, (bytes, bytearray)):
            self._bounds(len(value), shape, path, found)
        elif kind in ("integer", "long", "float", "double") and isinstance(value, (int, float)):
            self._bounds(value, shape, path, found)

    def _text(self, value, shape, path, found):
        # what is secret is in no output of a test
        shown = "a secret" if shape.metadata.get("sensitive") else repr(value[:80])
        values = shape.metadata.get("enum")
        if values:
            self.looked += 1
            if value not in values:
                found.append(f"{path}: {shown} is none of the {len(values)} values of {shape.name}")
        pattern = _pattern(shape)
        if pattern is None:
            return
        try:
            fits = re.fullmatch(_readable(pattern), value, re.DOTALL)
            self.looked += 1
        except re.error:
            self.unreadable.add(pattern)
            return
        if not fits:
            found.append(f"{path}: {shown} does not match {pattern}")

    def _bounds(self, size, shape, path, found):
        for name, outside in (("min", lambda bound: size < bound), ("max", lambda bound: size > bound)):
            bound = shape.metadata.get(name)
            if bound is None:
                continue
            self.looked += 1
            if outside(bound):
                found.append(f"{path}: {size} is beyond the {name} of {bound}")


def _pattern(shape):
    """botocore keeps patterns in its files and has no word for them."""
    resolver = getattr(shape, "_shape_resolver", None)
    return resolver._shape_map.get(shape.name, {}).get("pattern") if resolver else None


_CLASSES = {"L": "A-Za-z\u00c0-\uffff", "Z": r"\s", "N": "0-9", "M": "\u0300-\u036f", "S": "$+<=>^`|~", "P": r"!-/:-@\[-`{-~"}


def _readable(pattern):
    """AWS's patterns are Java's; what Python writes otherwise is put into its words."""
    pattern = re.sub(r"\\p\{(?:Is)?([A-Z])[a-z]?\}", lambda found: _CLASSES.get(found.group(1), r"\w"), pattern)
    pattern = pattern.replace(r"\p{ASCII}", r"\x00-\x7f").replace("[[:alnum:]]", "[A-Za-z0-9]")
    return re.sub(r"\\[ux]\{?([0-9a-fA-F]{2,6})\}?", lambda found: re.escape(chr(int(found.group(1), 16))), pattern)


def _restored(value, shape):
    """JSON's words for what JSON has no words for: bytes, dates and streams. Of bytes, the number is enough."""
    kind = shape.type_name if shape is not None else None
    if isinstance(value, dict):
        if "$bytes" in value:
            return bytes(value["$bytes"])
        if "$date" in value:
            return datetime.fromisoformat(value["$date"].replace("Z", "+00:00"))
        if kind == "structure":
            return {name: _restored(inner, shape.members.get(name)) for name, inner in value.items()}
        if kind == "map":
            return {key: _restored(inner, shape.value) for key, inner in value.items()}
        return value
    if isinstance(value, list):
        return [_restored(inner, shape.member if kind == "list" else None) for inner in value]
    if kind == "blob" and isinstance(value, str):
        return value.encode()
    return value
