"""The Python SDK calls every tool over standard input and output. Program, data folder, file of calls."""
import asyncio
import json
import sys

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client


async def main() -> int:
    program, data, calls = sys.argv[1:]
    server = StdioServerParameters(command=program, args=["mcp", "--data", data])
    failed = []
    async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
        greeting = await session.initialize()
        listed = await session.list_tools()
        for call in json.loads(open(calls).read()):
            answer = await session.call_tool(call["tool"], call["arguments"])
            text = "\n".join(block.text for block in answer.content)
            is_error = getattr(answer, "is_error", None) or getattr(answer, "isError", False)
            if is_error:
                failed.append(f"{call}: {text}")
            if not text:
                failed.append(f"{call}: no text")
        wrong = await session.call_tool("context", {"market": "BTCUSD"})
        sentence = wrong.content[0].text
        if "BTCUSDT" not in sentence:
            failed.append(f"a wrong market is answered with: {sentence}")
    print(f"mcp of Python: {len(listed.tools)} tools over standard input and output; {greeting}"[:200])
    print("\n".join(failed), file=sys.stderr)
    return 1 if failed else 0


sys.exit(asyncio.run(main()))
