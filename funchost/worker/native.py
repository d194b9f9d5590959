"""The worker library's second interface, of 1.3.0: values of its own, and no protobuf.

It is made for a worker that speaks FunctionRpc in Rust, and asks that worker to have each blocking
function called from a thread of its own (`run_invocation_sync`), each other one from the event loop
(`invocation_request_native`). The mapping is the one of the first interface.
"""

import asyncio
import contextvars
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie
from typing import Any, Final

import azure_functions_runtime as library  # type: ignore[import-untyped]  # ships no py.typed
from azure_functions_runtime.bindings.datumdef import (  # type: ignore[import-untyped]
    Datum,
    parse_to_rpc_http_cookie_list,
)
from azure_functions_runtime.native_invocation import (  # type: ignore[import-untyped]
    invocation_request_native,
    run_invocation_sync,
)

from . import protos
from .functions import Function, InvocationError, failed_by
from .messages import HttpRequest, HttpResponse, trace_parent
from .responses import http_response, no_response, text_response

__all__ = ["NativeInterface"]

# The library only reads it.
_NO_METADATA: Final[dict[str, Datum]] = {}


class NativeInterface:
    """Calls functions once the library's thread pool has started."""

    def __init__(self) -> None:
        # A call blocks its thread until the library's own has run the function, so that more of
        # them would not have one function more run at a time.
        threads: ThreadPoolExecutor = library.get_threadpool_executor()
        self._callers = ThreadPoolExecutor(threads._max_workers)  # noqa: SLF001  nothing else tells
        self._coroutine_functions: set[str] = set()

    async def invoke(
        self, function: Function, request: HttpRequest, invocation_id: str
    ) -> HttpResponse:
        """Run an HTTP function: a blocking one without the event loop.

        Raises:
            InvocationError: The function failed, or what it answered is no HTTP response.
        """
        headers = request.headers
        arguments = (
            invocation_id,
            function.id,
            [(function.request_parameter, Datum(_fields(request), "http"))],
            _NO_METADATA,
            trace_parent(headers.get("traceparent")),
            headers.get("tracestate", ""),
        )
        try:
            reply = await self._reply(function.id, arguments)
        except Exception as error:
            # What it makes of an exception is `repr`, which a class of the app may break.
            raise failed_by(error) from error
        return _response(function.response_binding, reply)

    def stop(self) -> None:
        """End the threads, after the library's own."""
        self._callers.shutdown()

    async def _reply(self, function_id: str, arguments: tuple[Any, ...]) -> Sequence[Any]:
        if function_id not in self._coroutine_functions:
            # Its log records name the function too.
            context = contextvars.copy_context()
            loop = asyncio.get_running_loop()
            is_blocking, *reply = tuple(
                await loop.run_in_executor(
                    self._callers, context.run, run_invocation_sync, *arguments
                )
            )
            if is_blocking:
                return reply
            # The library tells it by refusing the call, and it stays so.
            self._coroutine_functions.add(function_id)
        return tuple(await invocation_request_native(*arguments))


def _fields(request: HttpRequest) -> dict[str, object]:
    return {
        "method": Datum(request.method, "string"),
        "url": Datum(request.url, "string"),
        "headers": _texts(request.headers),
        "params": _texts(request.params),
        "query": _texts(request.query),
        "body": Datum(request.body, "bytes"),
    }


def _texts(values: dict[str, str]) -> dict[str, Datum]:
    return {name: Datum(value, "string") for name, value in values.items()}


def _response(binding: str, reply: Sequence[Any]) -> HttpResponse:
    succeeded, returned, outputs, error, stack_trace = reply
    if not succeeded:
        raise InvocationError(error, stack_trace)
    if returned is None or binding != "$return":
        returned = next((datum for name, datum in outputs if name == binding), returned)
    if returned is None:
        return no_response()
    answer = returned.value
    # An HTTP output holds one or the other.
    if returned.type != "http":
        return text_response(answer)
    return http_response(
        answer["status_code"].value,
        {name: datum.value for name, datum in answer["headers"].items()},
        answer["body"].value,
        _cookies(answer["cookies"]),
    )


def _cookies(cookies: list[SimpleCookie] | None) -> list[protos.RpcHttpCookie]:
    """Return cookies in the form of the first interface, since this one leaves them as they are."""
    if not cookies:
        return []
    try:
        return list(parse_to_rpc_http_cookie_list(cookies, protos))
    except Exception as error:
        # An attribute that cannot be read fails the function, as by the first interface.
        raise failed_by(error) from error
