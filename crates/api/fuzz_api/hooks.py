"""How schemathesis writes the one kind of text that a request may be in and that it has no writer for: JSON lines."""
import json
from typing import Any

import schemathesis
from schemathesis.transport import SerializationContext


@schemathesis.serializer("application/x-ndjson")
def json_lines(_: SerializationContext, value: Any) -> bytes:
    """One line of JSON for each entry of a list; anything else is one line."""
    return "\n".join(json.dumps(entry) for entry in (value if isinstance(value, list) else [value])).encode()
