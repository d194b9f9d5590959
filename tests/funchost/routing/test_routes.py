import pytest

from funchost.routing.routes import Match, RouteError, Router


def _router(*routes: tuple[str, str, str], prefix: str = "api") -> Router:
    router = Router(prefix)
    for function, route, methods in routes:
        router.add(function, route, methods.split())
    return router


def _function(router: Router, method: str, path: str) -> str | None:
    match = router.match(method, path)
    return match.function if match else None


def test_tries_the_more_precise_route_first() -> None:
    router = _router(
        ("all", "{*rest}", ""),
        ("any", "items/{x}", ""),
        ("number", "items/{x:int}", ""),
        ("literal", "items/recent", ""),
    )
    assert _function(router, "GET", "/api/items/recent") == "literal"
    assert _function(router, "GET", "/api/items/1") == "number"
    assert _function(router, "GET", "/api/items/one") == "any"
    assert _function(router, "GET", "/api/items") == "all"
    assert router.match("GET", "/api/items/a%20b") == Match("any", {"x": "a b"})


def test_a_wrong_method_falls_through_to_the_next_route() -> None:
    router = _router(("post", "items/recent", "POST"), ("get", "items/{x}", "get HEAD"))
    assert _function(router, "POST", "/api/items/recent") == "post"
    assert _function(router, "HEAD", "/api/items/recent") == "get"
    assert _function(router, "PUT", "/api/items/recent") is None


@pytest.mark.parametrize(
    ("prefix", "route", "path"),
    [
        ("api", "a", "/api/a"),
        ("", "a", "/a"),
        ("", "/a", "/a"),
        ("v1/x", "a", "/V1/x/a"),
        ("api", "a", "/api/a/"),
    ],
)
def test_prefix(prefix: str, route: str, path: str) -> None:
    assert _function(_router(("f", route, ""), prefix=prefix), "GET", path) == "f"


def test_refuses_a_route_that_azure_cannot_put_behind_a_prefix() -> None:
    with pytest.raises(RouteError, match=r"function f: .* '/a' without a route prefix only: write"):
        _router(("f", "/a", ""))


def test_an_error_names_function_and_route() -> None:
    with pytest.raises(RouteError, match=r"function f: route 'a/\{x:whole\}': .*'whole'"):
        _router(("f", "a/{x:whole}", ""))


def test_lists_the_routes_that_azure_decides_by_name() -> None:
    router = _router(
        ("b_literal", "items/recent", "GET"),
        ("a_any", "items/{x}", "GET POST"),
        ("c_any", "items/{x}", "GET"),
        ("a_other_method", "items/{x}", "DELETE"),
        ("a_other_path", "others/{x}", ""),
    )
    assert router.ambiguous() == [("b_literal", "a_any")]
