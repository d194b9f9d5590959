"""The worker library's first interface: FunctionRpc messages, as its proxy passes them on in Azure.

The mapping is the one of GrpcMessageConversionExtensions and GrpcMessageExtensionUtilities in
Azure/azure-functions-host, for the capabilities that the Python worker declares: raw body bytes,
the body only once, no trigger metadata.
"""

from typing import Final

import azure_functions_runtime as library  # type: ignore[import-untyped]  # ships no py.typed

from . import protos
from .functions import Function, InvocationError
from .messages import HttpRequest, HttpResponse, trace_parent
from .responses import http_response, no_response, text_response

__all__ = ["invoke", "reason", "response_of"]

_JSON: Final = {"content-type": "application/json; charset=utf-8"}
# HTTP functions are never retried, and nobody writes to it.
_FIRST_ATTEMPT: Final = protos.RetryContext()


async def invoke(function: Function, request: HttpRequest, invocation_id: str) -> HttpResponse:
    """Run an HTTP function: a blocking one by the event loop, in the library's thread pool.

    Raises:
        InvocationError: The function failed, or what it answered is no HTTP response.
    """
    headers = request.headers
    message = protos.InvocationRequest(
        invocation_id,
        function.id,
        [protos.ParameterBinding(function.request_parameter, _request_data(request))],
        protos.RpcTraceContext(
            trace_parent(headers.get("traceparent")), headers.get("tracestate", "")
        ),
        _FIRST_ATTEMPT,
        {},
    )
    reply: protos.InvocationResponse = await library.invocation_request(
        protos.WorkerRequest(protos.StreamingMessage(message))
    )
    if reply.result.status != protos.StatusResult.Success:
        raise InvocationError(*reason(reply.result))
    return response_of(reply, function.response_binding)


def response_of(reply: protos.InvocationResponse, binding: str) -> HttpResponse:
    """Read the HTTP response out of a successful invocation.

    `binding` is the name of the function's HTTP output: `$return`, or the name of an `Out`
    parameter. A function that sets none answers 204, a plain string is 200 `text/plain`.

    Raises:
        InvocationError: The status code is no HTTP status.
    """
    data = reply.return_value
    if data is None or binding != "$return":
        data = next((p.data for p in reply.output_data if p.name == binding), data)
    if data is None:
        return no_response()
    http = data.http
    if http is None:
        if data.bytes is not None:
            return HttpResponse(200, {}, data.bytes)
        if data.json is not None:
            return HttpResponse(200, _JSON, data.json.encode())
        return text_response(data.string or "")
    return http_response(http.status_code, http.headers, _content(http.body), http.cookies)


def reason(result: protos.StatusResult) -> tuple[str, str]:
    """Return what went wrong and its formatted trace, of something that did not succeed."""
    if result.exception is None:
        return "the worker gives no reason", ""
    return result.exception.message, result.exception.stack_trace


def _request_data(request: HttpRequest) -> protos.TypedData:
    return protos.TypedData(
        protos.RpcHttp(
            request.method,
            request.url,
            request.headers,
            protos.TypedData(None, request.body),
            request.params,
            "",
            request.query,
        )
    )


def _content(body: protos.TypedData | None) -> bytes:
    if body is None:
        return b""
    if body.bytes is not None:
        return body.bytes
    return (body.string or body.json or "").encode()
