"""A server of market data in the newer revision, made with the official SDK: a tool for each kind of call a source has (R3.1 to R3.8).

Prices follow the clock alone, so that whoever asks knows what must come. PORT is where it answers; the file MODE decides how: `well`,
`refuse` (an answer that is a refusal), `fail` (the tool raises), `hang`.
"""
import asyncio
import math
import os
import pathlib
import time

from mcp.server import MCPServer

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
BASE = {"BTC": 60_000.0, "ETH": 3_000.0}
MODE = pathlib.Path(os.environ["MODE"])
server = MCPServer("double")


def now_ms() -> int:
    return int(time.time() * 1_000)


def price(symbol: str, ms: int) -> float:
    return round(BASE[symbol[:3]] * (1 + 0.01 * math.sin(ms / HOUR_MS)), 2)


async def answer(value):
    mode = MODE.read_text().strip()
    if mode == "hang":
        await asyncio.sleep(3_600)
    if mode == "fail":
        raise RuntimeError("the exchange is away")
    return {"code": 7 if mode == "refuse" else 0, "result": value}


@server.tool()
async def ticker(symbol: str) -> dict:
    last = price(symbol, now_ms())
    return await answer({"symbol": symbol, "last": last, "mark": last, "index": last * 0.9999, "bid": last - 0.5, "ask": last + 0.5, "oi_lots": 1_234_500, "volume": 9.0, "ts": now_ms()})


@server.tool()
async def klines(symbol: str, interval: str, limit: int) -> dict:
    begin = now_ms() // MINUTE_MS * MINUTE_MS
    rows = []
    for back in range(limit):
        at = begin - back * MINUTE_MS
        open_, close = price(symbol, at), price(symbol, at + MINUTE_MS)
        rows.append([at // 1_000, open_, max(open_, close), min(open_, close), close, 3.0, 3.0 * close, 1_234_500])
    return await answer(rows)


@server.tool()
async def book(symbol: str, depth: int) -> dict:
    last = price(symbol, now_ms())
    levels = lambda sign: [[str(last + sign * (0.5 + n)), "1.0"] for n in range(depth)]
    return await answer({"bids": levels(-1), "asks": levels(1)})


@server.tool()
async def funding(symbol: str) -> dict:
    next_ = (now_ms() // (8 * HOUR_MS) + 1) * 8 * HOUR_MS
    return await answer({"rate_percent": "0.01", "next": next_, "hours": 8})


@server.tool()
async def funding_history(symbol: str, limit: int) -> dict:
    newest = now_ms() // (8 * HOUR_MS) * 8 * HOUR_MS
    return await answer([{"at": newest - n * 8 * HOUR_MS, "rate_percent": 0.01} for n in range(limit)])


@server.tool()
async def premium(symbol: str) -> dict:
    return await answer([{"at": now_ms() // MINUTE_MS * MINUTE_MS, "value": 0.0001}])


@server.tool()
async def basis_history(symbol: str) -> dict:
    return await answer([{"at": now_ms(), "value": 0.0002}])


@server.tool()
async def liquidations() -> dict:
    """Of all markets, newest first: one of each market a minute."""
    begin, rows = now_ms() // MINUTE_MS * MINUTE_MS, []
    for back in range(5):
        for name in BASE:
            at = begin - back * MINUTE_MS
            rows.append({"symbol": f"{name}USDT", "order": "sell", "px": price(name, at), "qty": "0.5", "at": at})
    return await answer(rows)


@server.tool()
async def tiers(symbol: str) -> dict:
    return await answer([{"upto": 20, "leverage": 100}])


asyncio.run(server.run_streamable_http_async(port=int(os.environ["PORT"]), json_response=os.environ.get("EVENTS") is None, stateless_http=True))
