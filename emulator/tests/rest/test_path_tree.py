"""What the tree of the operations' paths finds is what aiohttp would find without it."""

import re
from collections.abc import Iterator
from random import Random

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from signalr_emulator import Config
from signalr_emulator.operations.table import HEALTH_PATHS, OPERATIONS, READS
from signalr_emulator.rest.routes import RestApi
from signalr_emulator.state.service import Service
from yarl import URL

METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY")
ROUTES = (
    *((method, path) for path in HEALTH_PATHS for method in READS),
    *((operation.method, operation.path) for operation in OPERATIONS),
)
PATHS = sorted({path for _, path in ROUTES})
REQUEST = make_mocked_request("GET", "/")
WORDS = sorted({word for path in PATHS for word in path.split("/")[1:] if "{" not in word})
ODD = ("", "x", "%2F", "a%2fb%2F", "%25", "%252F", "%20", "%0A", "%C3%A9", "%zz", "{hub}")
ODD_TOO = (".", "..", "a;b", "a:b", ":", "~", "Hubs", "%68ubs", "%3Asend", "+", "é", "%", "api")


def _random_paths() -> Iterator[str]:
    random = Random(1)  # noqa: S311 - the same paths in each run
    segments = (*WORDS, *ODD, *ODD_TOO)
    for path in PATHS:
        for _ in range(10):
            given = [
                random.choice(segments) if "{" in word or random.random() < 0.1 else word
                for word in path.split("/")[1:]
            ]
            yield "/" + "/".join(given)
            yield "/" + "/".join([*given, random.choice(segments)])


@pytest.fixture(scope="module")
def tree() -> web.UrlDispatcher:
    service = Service.create(Config(service_port=0, control_port=0))
    router = web.UrlDispatcher()
    router.register_resource(RestApi(service, service.first).paths())
    return router


@pytest.fixture(scope="module")
def patterns() -> web.UrlDispatcher:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response()

    router = web.UrlDispatcher()
    for method, path in ROUTES:
        router.add_route(method, re.sub(r"\{(\w+)\}", r"{\1:[^/]+}", path), answer)
    return router


async def found(router: web.UrlDispatcher, method: str, path: str) -> tuple[object, ...]:
    """Tell which route a router finds, with which parameters, or how it refuses."""
    url = URL.build(path=path, encoded=True)  # as aiohttp takes it from a request line
    info = await router.resolve(REQUEST.clone(method=method, rel_url=url))
    refused = info.http_exception
    if isinstance(refused, web.HTTPMethodNotAllowed):
        return refused.status, sorted(refused.allowed_methods)
    if refused is not None:
        return (refused.status,)
    resource = info.route.resource
    assert resource is not None
    return info.route.method, resource.canonical, dict(info)


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=" ".join)
async def test_every_operation_is_found(tree: web.UrlDispatcher, method: str, path: str) -> None:
    names = re.findall(r"\{(\w+)\}", path)
    asked = path.format(**{name: f"{name}%2F%25%C3%A9" for name in names})
    expected = {name: f"{name}/%é" for name in names}
    assert await found(tree, method, asked) == (method, path, expected)


async def test_any_path_means_what_it_means_to_aiohttp(
    tree: web.UrlDispatcher, patterns: web.UrlDispatcher
) -> None:
    asked = [*PATHS, "/", "/api", "/api/", "//api/health", "/api//health", *_random_paths()]
    seen = set()
    for path in asked:
        for method in METHODS:
            expected = await found(patterns, method, path)
            assert await found(tree, method, path) == expected, f"{method} {path}"
            seen.add(expected[0] if isinstance(expected[0], int) else "found")
    assert seen == {"found", 404, 405}
