"""Reads requests as JSON lines ({by, service, operation, input}) and writes what AWS's models have against them, as JSON."""

import collections
import json
import sys

from botocore.model import OperationNotFoundError
from models import Problems, operation



def as_sent(value, shape):
    """In an address a number is text: some of botocore's models say the one, and the clients' the other."""
    in_address = shape is not None and shape.serialization.get("location") == "querystring"
    return str(value) if in_address and shape.type_name == "string" and type(value) is int else value


problems = Problems()
operations = collections.Counter()
found = collections.Counter()
for line in sys.stdin:
    request = json.loads(line)
    service, name = request["service"], request["operation"]
    operations[f"{service}:{name}"] += 1
    try:
        shape = operation(service, name).input_shape
    except OperationNotFoundError:
        found[f"{request['by']}: {service} has no operation {name}"] += 1
        continue
    if shape is None:
        continue
    given = {member: as_sent(value, shape.members.get(member)) for member, value in request["input"].items() if value is not None}
    for problem in problems.of(given, shape, f"{service}:{name}"):
        found[f"{request['by']}: {problem}"] += 1

json.dump(
    {
        "requests": sum(operations.values()),
        "operations": dict(sorted(operations.items())),
        "looked": problems.looked,
        "unreadable": sorted(problems.unreadable),
        "problems": sorted(found),
    },
    sys.stdout,
)
