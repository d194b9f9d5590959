"""A server that is measured: it says where it listens, and how much processor time it takes."""

import asyncio
import json
import sys
from collections.abc import Mapping
from time import process_time

__all__ = ["answer_readings"]


async def answer_readings(ready: Mapping[str, object]) -> None:
    """Print a line of JSON, then one with the seconds of processor time for each line that comes.

    Args:
        ready: What whoever has started this program has to know.
    """
    print(json.dumps(ready), flush=True)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while await reader.readline():
        print(process_time(), flush=True)
