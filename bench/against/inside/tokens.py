"""Bearer tokens that a caller shows, checked with the keys of an issuer that is asked over HTTP."""

import asyncio
import contextlib
import inspect
import os
from collections.abc import Callable
from importlib import import_module
from time import perf_counter
from typing import Any, Final
from urllib.parse import urlencode, urljoin

import jwt
import requests

from .answers import serve

__all__ = ["main"]

_AUDIENCE: Final = "api://upstream"
_READ: Final = 50


def main() -> None:
    """Answer with the microseconds of a token that is read for the first time, and of one again."""
    with asyncio.Runner() as runner:
        read = _reader(runner)

        def measure() -> list[float]:
            tokens = [_token() for _ in range(_READ)]
            return [_took(read, tokens), _took(read, tokens[:1] * _READ)]

        serve(measure)


def _took(read: Callable[[list[str]], object], tokens: list[str]) -> float:
    began = perf_counter()
    read(tokens)
    return (perf_counter() - began) / len(tokens) * 1e6


def _token() -> str:
    """Ask for a token as azure-identity does on App Service; each is another one."""
    query = urlencode({"api-version": "2019-08-01", "resource": _AUDIENCE})
    answer = requests.get(
        f"{os.environ['IDENTITY_ENDPOINT']}?{query}",
        headers={"X-IDENTITY-HEADER": os.environ["IDENTITY_HEADER"]},
        timeout=15,
    )
    token: str = answer.json()["access_token"]
    return token


def _reader(runner: asyncio.Runner) -> Callable[[list[str]], object]:
    """Return what reads tokens, by the verifier of whichever build this is."""
    claims = jwt.decode(_token(), options={"verify_signature": False})
    keys = urljoin(os.environ["IDENTITY_ENDPOINT"], f"/{claims['tid']}/discovery/v2.0/keys")
    issuer = (claims["iss"], (_AUDIENCE,), keys)
    bearer = _bearer()
    if not inspect.iscoroutinefunction(bearer.BearerVerifier.verify):
        one = bearer.BearerVerifier(bearer.Issuer(*issuer))
        return lambda tokens: [one.verify(token) for token in tokens]
    verifier = bearer.BearerVerifier([bearer.Issuer(*issuer)])

    async def read(tokens: list[str]) -> None:
        for token in tokens:
            await verifier.verify(token)

    return lambda tokens: runner.run(read(tokens))


def _bearer() -> Any:  # noqa: ANN401  another module in each build
    """Return the module that verifies tokens, which has moved twice."""
    for name in ("shared.functions.issuers.bearer", "shared.functions.bearer"):
        with contextlib.suppress(ImportError):
            return import_module(name)
    return import_module("shared.bearer")
