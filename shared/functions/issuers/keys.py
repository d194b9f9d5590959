"""Public keys of an issuer of tokens: where they are, fetched, kept, and fetched again.

Sources: OpenID Connect Discovery 1.0, section 4, for the issuer's description; RFC 7517 for keys.
"""

import asyncio
import json
import logging
import math
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple

from ...settings.endpoint import is_confidential
from ...transport.flow import NoAnswerError, Request
from ...transport.http import Timeouts, Transport
from ..problems import ProblemError

if TYPE_CHECKING:
    from jwt import PyJWK

__all__ = ["IssuerKeys"]

_logger = logging.getLogger(__name__)

_LIFETIME: Final = 300.0
"""Seconds for which keys are kept."""

_LOOK_AGAIN: Final = 30.0
"""Seconds after which a key that was not there is looked for again."""

_SETTLED: Final = 5
"""Seconds for which what came of a request for keys holds: nobody else asks a silent issuer."""

_TIMEOUTS: Final = Timeouts(connect=4.0, read=5.0, total=5.0)
_LARGEST_ANSWER: Final = 2**20
"""Bytes that the issuer may answer; Entra ID's keys are some ten thousand."""

# Uncompressed, so that the bound is one of what it becomes here.
_HEADERS: Final = {"Accept": "application/json", "Accept-Encoding": "identity"}


class _NoKeysError(Exception):
    """The keys cannot be had; the message says why, for the app's log."""


class _Keys(NamedTuple):
    by_id: Mapping[str, "PyJWK"]
    fetched_at: float


class IssuerKeys:
    """The keys of one issuer. Threads and event loops may share it.

    They are fetched at the first need, kept for five minutes, and fetched again when a token names
    one that is not known, at most every 30 seconds. However many callers wait for them, they take
    one thread and one request. What is still kept serves while the issuer cannot be reached.

    Args:
        issuer: The `iss` claim, an https address below which the issuer describes itself.
        jwks_uri: Address of its keys; by default the one in its description.
        steady: Tells the time in seconds, by a clock that is never set.
    """

    def __init__(
        self, issuer: str, jwks_uri: str | None, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._issuer = issuer
        self._jwks_uri = jwks_uri
        self._steady = steady
        self._lock = threading.Lock()
        self._keys = _Keys({}, -math.inf)
        self._fetch: Future[_Keys | None] | None = None
        self._fetch_ended = -math.inf

    async def find(self, key_id: str) -> "PyJWK | None":
        """Return the key of a name, or `None` if the issuer has no such key.

        Raises:
            ProblemError: 503, the issuer's keys cannot be had. The reason is in the app's log.
        """
        kept = self._keys
        longest = _LIFETIME if key_id in kept.by_id else _LOOK_AGAIN
        keys: _Keys | None = kept
        if self._steady() - kept.fetched_at >= longest:
            # Who gives up waiting must not take the keys from the others.
            keys = await asyncio.shield(asyncio.wrap_future(self._fetching()))
        if keys is None:
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"The keys of the issuer {self._issuer} cannot be had for now. Try again later.",
                headers={"Retry-After": str(_SETTLED)},
            )
        return keys.by_id.get(key_id)

    def _fetching(self) -> Future[_Keys | None]:
        """Return the fetch that is under way or has just ended, or begin one."""
        with self._lock:
            latest = self._fetch
            if latest is None or (latest.done() and self._steady() - self._fetch_ended >= _SETTLED):
                latest = self._fetch = self._begin()
            return latest

    def _begin(self) -> Future[_Keys | None]:
        # A thread for this alone: the event loop's pool is the app's.
        executor = ThreadPoolExecutor(1, "signalr-issuer-keys")
        try:
            return executor.submit(self._fetched)
        except RuntimeError as error:
            self._warn(f"no thread to ask for them: {error}")
            refused: Future[_Keys | None] = Future()
            refused.set_result(None)
            return refused
        finally:
            executor.shutdown(wait=False)

    def _fetched(self) -> _Keys | None:
        try:
            self._keys = _Keys(_fetch_keys(self._issuer, self._jwks_uri), self._steady())
        except _NoKeysError as error:
            self._warn(str(error))
            return None
        else:
            return self._keys
        finally:
            self._fetch_ended = self._steady()

    def _warn(self, reason: str) -> None:
        # Quoted and cut, since it can repeat what the issuer answered.
        _logger.warning("No keys of %s: %.400r", self._issuer, reason)


def _fetch_keys(issuer: str, jwks_uri: str | None) -> Mapping[str, "PyJWK"]:
    # No connection is kept: after five minutes nobody knows what stands between has forgotten it.
    with closing(Transport(_TIMEOUTS, pool_size=1, largest_answer=_LARGEST_ANSWER)) as transport:
        address = jwks_uri or _described_jwks_uri(transport, issuer)
        keys = _usable_keys(_read(transport, address).get("keys"))
    if not keys:
        raise _NoKeysError(f"{address} has no key that a token could be signed with")
    return keys


def _described_jwks_uri(transport: Transport, issuer: str) -> str:
    address = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    description = _read(transport, address)
    described, jwks_uri = description.get("issuer"), description.get("jwks_uri")
    if described != issuer:
        raise _NoKeysError(f"{address} describes another issuer, {described!r:.150}")
    if not isinstance(jwks_uri, str) or not is_confidential(jwks_uri):
        raise _NoKeysError(f"{address} has the jwks_uri {jwks_uri!r:.150}, no https address")
    return jwks_uri


def _read(transport: Transport, address: str) -> Mapping[str, object]:
    try:
        answer = transport.send(Request("GET", address, _HEADERS))
    except NoAnswerError as error:
        raise _NoKeysError(f"{address} does not answer: {error}") from error
    if answer.status != HTTPStatus.OK:
        raise _NoKeysError(f"{address} answers {answer.status}")
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise _NoKeysError(f"{address} answers something else than JSON") from error
    if not isinstance(document, dict):
        raise _NoKeysError(f"{address} answers JSON that is no object")
    return document


def _usable_keys(listed: object) -> Mapping[str, "PyJWK"]:
    """Return the keys that can verify a signature, by their names; others are passed over."""
    from jwt import PyJWK, PyJWTError  # noqa: PLC0415  as in bearer.py

    keys: dict[str, PyJWK] = {}
    for each in listed if isinstance(listed, list) else ():
        if not isinstance(each, dict) or each.get("use", "sig") != "sig":
            continue
        key_id = each.get("kid")
        # With its private part published, a key proves nothing.
        if not isinstance(key_id, str) or not key_id or "d" in each:
            continue
        try:
            keys.setdefault(key_id, PyJWK(each))
        except (PyJWTError, TypeError, ValueError):
            # TypeError: its "alg" is no text.
            continue
    return keys
