"""A server that reads each request and answers 202: `python -m bench.emulator_rest.bare`."""

import asyncio
from http import HTTPStatus

from aiohttp import web

from ..meter import answer_readings

__all__: list[str] = []


async def _answer(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(status=HTTPStatus.ACCEPTED)


async def main() -> None:
    """Serve until the input ends."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", _answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await answer_readings({"port": runner.addresses[0][1]})


if __name__ == "__main__":
    asyncio.run(main())
