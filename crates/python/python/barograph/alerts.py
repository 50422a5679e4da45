"""Alerts of a running barograph, handed to a function of yours as they are made (R3.29).

``follow_alerts`` blocks; run it in a thread of yours and end it with the ``stop`` event. It connects again by itself. The callback gets
the event as ``/api/v1/events`` describes it. A callback is told once per record and only while it follows: what has to reach somebody
whatever happens goes to a receiver instead (docs/alerts.md).
"""

from __future__ import annotations

import http.client
import json
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from typing import Any

__all__ = ["follow_alerts"]

_PAUSE_MAX_S = 30.0
# The server says something every 15 seconds; silence for longer is a lost connection.
_SILENCE_S = 40.0


def follow_alerts(
    callback: Callable[[dict[str, Any]], None],
    *,
    url: str = "http://127.0.0.1:8600",
    markets: Iterable[str] = (),
    event_types: Iterable[str] = (),
    token: str | None = None,
    stop: threading.Event | None = None,
    on_connect: Callable[[], None] | None = None,
) -> None:
    """Call ``callback(event)`` for every alert of the barograph at ``url`` until ``stop`` is set.

    ``markets`` and ``event_types`` choose; empty means all. ``token`` is needed where the address asks for one. ``on_connect`` is
    called each time the stream begins. Whatever either of them raises ends the following and is raised here.

    Raises ``PermissionError`` when the token is missing or unknown, ``ValueError`` when the address cannot be meant. Anything else
    that happens to the connection is waited out.
    """
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise ValueError(f"'{url}' is no address; write http://host:port")
    stop = stop or threading.Event()
    wanted = frozenset(event_types)
    query = urllib.parse.urlencode({"markets": ",".join(markets)}) if markets else ""
    request = urllib.request.Request(f"{url.rstrip('/')}/api/v1/stream?{query}".rstrip("?"))
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    pause = 0.5
    while not stop.is_set():
        reply = _connect(request, url)
        if reply is not None:
            pause = 0.5
            with reply:
                if on_connect:
                    on_connect()
                for event in _alerts(_lines(reply), url):
                    if stop.is_set():
                        return
                    if not wanted or event.get("event_type") in wanted:
                        callback(event)
        stop.wait(pause)
        pause = min(pause * 2, _PAUSE_MAX_S)


def _connect(request: urllib.request.Request, url: str) -> http.client.HTTPResponse | None:
    """The stream, or ``None`` where it cannot be had now and may be later."""
    try:
        reply: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=_SILENCE_S)
        return reply
    except urllib.error.HTTPError as error:
        with error:
            if error.code in (401, 403):
                raise PermissionError(f"{url} requires a token it knows (it answered {error.code})") from error
            if 400 <= error.code < 500 and error.code != 429:
                raise ValueError(f"{url} answered {error.code}: {error.read(2000).decode(errors='replace')}") from error
    except http.client.InvalidURL as error:
        raise ValueError(f"'{url}' is no address: {error}") from error
    except (OSError, http.client.HTTPException):
        pass
    return None


def _lines(reply: Iterable[bytes]) -> Iterator[bytes]:
    """Lines until the stream ends, or is cut off: a server that is killed ends in the middle of a chunk.

    What is raised where the lines are used does not pass through here.
    """
    lines = iter(reply)
    while True:
        try:
            line = next(lines)
        except (StopIteration, OSError, http.client.HTTPException):
            return
        yield line


def _alerts(lines: Iterable[bytes], url: str) -> Iterator[dict[str, Any]]:
    """Events named ``alert`` of a stream of server-sent events; an unfinished one at its end is none."""
    name, data = "", []
    for raw in lines:
        line = raw.decode("utf-8", errors="replace").rstrip("\r\n")
        if line.startswith("event:"):
            name = line[6:].strip()
        elif line.startswith("data:"):
            data.append(line[5:].strip())
        elif not line:
            if name == "alert" and data:
                try:
                    event = json.loads("\n".join(data))
                except json.JSONDecodeError as error:
                    raise ValueError(f"what answers at {url} is no barograph: {error}") from error
                yield event
            name, data = "", []
