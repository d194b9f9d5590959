import pytest

from funchost.server.cors import LOOPBACK, CorsPolicy, is_preflight


def test_every_origin() -> None:
    policy = CorsPolicy.parse("*")
    assert policy.response_headers("http://any") == {"Access-Control-Allow-Origin": "*"}
    assert policy.response_headers(None) == {}


def test_listed_origins_regardless_of_case() -> None:
    policy = CorsPolicy.parse("http://A.example:80 ,, https://b.example")
    assert policy.response_headers("http://a.example:80") == {
        "Access-Control-Allow-Origin": "http://a.example:80",
        "Vary": "Origin",
    }
    assert policy.response_headers("https://c.example") == {"Vary": "Origin"}


def test_pages_of_this_machine_at_any_port() -> None:
    policy = CorsPolicy(frozenset({LOOPBACK}), credentials=True)
    for origin in (
        *("http://localhost:5173", "https://LOCALHOST:4200", "http://localhost"),
        *("http://127.0.0.1:8080", "http://127.1.2.3:1", "http://[::1]:3000"),
    ):
        assert policy.response_headers(origin) == {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Credentials": "true",
            "Vary": "Origin",
        }
    for origin in (
        *("http://foreign.example", "http://localhost.foreign.example", "http://a.localhost"),
        *("http://127.0.0.1.foreign.example", "http://foreign.example:80@localhost", "null", ""),
        *("http://localhost, http://foreign.example", "ftp://localhost", "http://192.168.0.1"),
        *(
            "http://0.0.0.0:5173",
            "http://localhost/x",
            "loopback",
            "http://[::2]",
            "http://2130706433",
        ),
    ):
        assert policy.response_headers(origin) == {"Vary": "Origin"}


@pytest.mark.parametrize(
    "origin",
    ["loopback", "localhost:3000", "http://a/", "http://a/x", "ftp://a", "http://", "http://a?b"],
)
def test_refuses_what_is_no_origin(origin: str) -> None:
    with pytest.raises(ValueError, match="is no origin"):
        CorsPolicy.parse(origin)


def test_refuses_every_origin_with_credentials() -> None:
    with pytest.raises(ValueError, match="list the origins"):
        CorsPolicy.parse("http://a, *", credentials=True)


@pytest.mark.parametrize(
    ("method", "headers", "expected"),
    [
        ("OPTIONS", {"Origin": "x", "Access-Control-Request-Method": "GET"}, True),
        ("OPTIONS", {"Origin": "x"}, False),
        ("GET", {"Origin": "x", "Access-Control-Request-Method": "GET"}, False),
    ],
)
def test_recognises_a_preflight(method: str, headers: dict[str, str], *, expected: bool) -> None:
    assert is_preflight(method, headers) is expected
