"""A cold process that answers one negotiation: `python -m bench.rows.first_answer FOLDER`.

It loads the app in the folder as Microsoft's worker does, invokes its function `negotiate` and
prints the status. For each line of its input it does so again, and it ends with its input.
"""

import asyncio
import logging
import sys
from pathlib import Path

from funchost.worker.interface import Interface
from funchost.worker.messages import HttpRequest
from funchost.worker.runtime import Worker


async def main() -> None:
    """Answer once, and again."""
    logging.basicConfig(level=logging.ERROR)
    # By messages, as Azure calls apps: by the native interface blocking functions, which those
    # written by hand are, would need another thread.
    worker = Worker(Interface.PROTOBUF)
    functions = {each.name: each for each in await worker.start(Path(sys.argv[1]))}
    request = HttpRequest("POST", "http://localhost:7071/api/negotiate", {}, {})
    while True:
        response = await worker.invoke(functions["negotiate"], request)
        print(response.status, flush=True)
        if not sys.stdin.readline():
            return


if __name__ == "__main__":
    asyncio.run(main())
