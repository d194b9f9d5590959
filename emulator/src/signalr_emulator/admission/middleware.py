"""Refuses whom the rules do not admit: one aiohttp middleware in front of everything else."""

from collections.abc import Callable

from aiohttp import HttpVersion11, hdrs, web
from aiohttp.typedefs import Handler, Middleware

from ..errors import RequestError
from .rules import Admission

__all__ = ["admission_middleware"]


def admission_middleware(
    admission: Admission, refuse: Callable[[RequestError], web.Response]
) -> Middleware:
    """Make the middleware.

    Args:
        admission: Who is answered.
        refuse: Makes the answer for everybody else.
    """

    @web.middleware
    async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            _check(admission, request)
        except RequestError as error:
            return refuse(error)
        return await handler(request)

    return admit


def _check(admission: Admission, request: web.Request) -> None:
    hosts = request.headers.getall(hdrs.HOST, ())
    host = admission.host(hosts, is_required=request.version >= HttpVersion11)
    if hosts and request.host not in hosts:
        admission.host([_target(request)], is_required=True)
    origins = request.headers.getall(hdrs.ORIGIN, ())
    if not origins:
        return
    # Where other pages may ask, a browser learns from the answer to its preflight which of them.
    if request.method == hdrs.METH_OPTIONS and admission.origins:
        return
    # Several in one are the origin of nobody.
    admission.check_origin(", ".join(origins), host)


def _target(request: web.Request) -> str:
    """Give the host of a target in absolute form, which counts before the header.

    Source: RFC 9112, section 3.2.2.
    """
    return f"[{request.host}]" if ":" in request.host else request.host
