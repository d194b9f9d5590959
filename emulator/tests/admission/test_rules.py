import pytest
from signalr_emulator.admission.rules import (
    ANY_ORIGIN,
    LOOPBACK_ORIGINS,
    Admission,
    Host,
    host_name,
    parse_host,
)
from signalr_emulator.errors import ForbiddenError, InvalidRequestError

LOOPBACK = Admission("127.0.0.1", origins=frozenset((LOOPBACK_ORIGINS,)))
HERE = Host("127.0.0.1", "8888")


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("localhost", Host("localhost", "")),
        ("LocalHost.:8888", Host("localhost", "8888")),
        ("signalr_emulator:", Host("signalr_emulator", "")),
        ("[::1]:8888", Host("[::1]", "8888")),
        ("[0:0:0:0:0:0:0:1]", Host("[0:0:0:0:0:0:0:1]", "")),
        *((text, None) for text in ("", ".", ":8888", "a b", " a", "a\t", "a,b", "a:1, b:1")),
        *((text, None) for text in ("u@a", "u:p@a:1", "a:80x", "a:-1", "a:1:2", "a/b", "a?", "a#")),
        *((text, None) for text in ("::1", "[::1", "[a]", "[127.0.0.1.5]", "[::1%eth0]", "[]")),
        *((text, None) for text in ("http://a", "b\xfccher", "a%2eb", "\u0661", "a\n")),
    ],
)
def test_host_header(text: str, host: Host | None) -> None:
    assert parse_host(text) == host


@pytest.mark.parametrize(("text", "name"), [("A.b.", "a.b"), ("[::1]", "[::1]"), ("10.0.0.1",) * 2])
def test_name_that_is_chosen(text: str, name: str) -> None:
    assert host_name(text) == name


@pytest.mark.parametrize("text", ["a:80", "a:", "[::1]:80", "::1", "http://a", "*", ""])
def test_name_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="is no host name"):
        host_name(text)


@pytest.mark.parametrize(
    ("listened", "sent"),
    [
        *(("127.0.0.1", each) for each in ("127.0.0.1", "127.0.0.1:1", "127.8.8.8", "localhost.")),
        *(
            ("127.0.0.1", each)
            for each in ("[::1]:8888", "[::ffff:127.0.0.1]", "SIGNALR.Example:9")
        ),
        *(("::1", each) for each in ("[::1]", "[0:0::1]", "127.0.0.1")),
        *(("192.0.2.7", each) for each in ("192.0.2.7:8888", "[::ffff:192.0.2.7]", "localhost")),
        *(("2001:db8::7", each) for each in ("[2001:DB8:0::7]:8888", "[::1]")),
        ("Devbox", "devbox.:8888"),
        *((every, "192.0.2.7:1") for every in ("", "0.0.0.0", "::", "0::0")),  # noqa: S104
        *((every, "[2001:db8::7]") for every in ("", "0.0.0.0", "::")),  # noqa: S104
        ("0.0.0.0", "0.0.0.0:8888"),  # noqa: S104
    ],
)
def test_host_that_leads_here(listened: str, sent: str) -> None:
    admission = Admission(listened, frozenset(("signalr.example",)))
    assert admission.host([sent], is_required=True) == parse_host(sent)


@pytest.mark.parametrize(
    ("listened", "sent"),
    [
        *(("127.0.0.1", each) for each in ("foreign.example", "127.0.0.1.foreign.example:8888")),
        *(("127.0.0.1", each) for each in ("localhost.foreign.example", "x.localhost", "localhos")),
        *(("127.0.0.1", each) for each in ("192.0.2.7", "0.0.0.0", "[::]", "[2001:db8::7]")),  # noqa: S104
        *(("127.0.0.1", each) for each in ("2130706433", "0x7f.1", "127.1", "0177.0.0.1")),
        *(("0.0.0.0", each) for each in ("foreign.example", "devbox", "192.0.2", "1")),  # noqa: S104
        ("192.0.2.7", "192.0.2.8"),
        ("devbox", "devbox.foreign.example"),
    ],
)
def test_host_that_does_not(listened: str, sent: str) -> None:
    with pytest.raises(ForbiddenError, match=r"start the emulator with --host-name \S+\."):
        Admission(listened).host([sent], is_required=True)


@pytest.mark.parametrize("sent", [[], [""], ["localhost", "localhost"], ["u@localhost"], ["a b"]])
def test_host_that_is_malformed(sent: list[str]) -> None:
    with pytest.raises(InvalidRequestError):
        LOOPBACK.host(sent, is_required=True)


def test_old_requests_need_no_host() -> None:
    assert LOOPBACK.host([], is_required=False) is None
    with pytest.raises(InvalidRequestError):
        LOOPBACK.host([""], is_required=False)
    with pytest.raises(ForbiddenError):
        LOOPBACK.host(["foreign.example"], is_required=False)


@pytest.mark.parametrize(
    ("origins", "host", "origin"),
    [
        *(((LOOPBACK_ORIGINS,), HERE, f"http://{each}") for each in ("localhost", "127.0.0.9:1")),
        *(
            ((LOOPBACK_ORIGINS,), HERE, each)
            for each in ("https://[::1]:3000", "HTTPS://LocalHost")
        ),
        (("https://contoso.com",), HERE, "https://Contoso.com"),
        (("null",), HERE, "null"),
        *(((ANY_ORIGIN,), None, each) for each in ("https://foreign.example", "null", "x")),
        *(((), HERE, f"{scheme}://127.0.0.1:8888") for scheme in ("http", "https")),
        ((), Host("signalr.example", ""), "http://SignalR.example"),
        ((LOOPBACK_ORIGINS, "https://contoso.com"), HERE, "https://contoso.com"),
    ],
)
def test_origin_that_may_ask(origins: tuple[str, ...], host: Host | None, origin: str) -> None:
    Admission("127.0.0.1", origins=frozenset(origins)).check_origin(origin, host)


@pytest.mark.parametrize(
    ("origins", "origin"),
    [
        *(((LOOPBACK_ORIGINS,), each) for each in ("https://foreign.example", "null", "")),
        *(
            ((LOOPBACK_ORIGINS,), f"http://localhost.{each}")
            for each in ("foreign.example", "de:1")
        ),
        *(
            ((LOOPBACK_ORIGINS,), each)
            for each in ("ftp://localhost", "localhost", "file://", "//")
        ),
        *(
            ((LOOPBACK_ORIGINS,), f"http://{each}")
            for each in ("u@localhost", "localhost, http://a")
        ),
        *(((LOOPBACK_ORIGINS,), f"http://{each}") for each in ("192.0.2.7", "0.0.0.0", "")),  # noqa: S104
        *((("https://contoso.com",), each) for each in ("http://contoso.com", "http://localhost")),
        *(
            (("https://contoso.com",), f"https://{each}")
            for each in ("contoso.com:1", "a.contoso.com")
        ),
        *(((), each) for each in ("http://localhost:8888", "http://127.0.0.1", "null")),
    ],
)
def test_origin_that_may_not(origins: tuple[str, ...], origin: str) -> None:
    with pytest.raises(ForbiddenError) as caught:
        Admission("127.0.0.1", origins=frozenset(origins)).check_origin(origin, HERE)
    assert ("--allowed-origin" in str(caught.value)) is bool(origins)
    assert "\n" not in str(caught.value)


def test_a_loopback_word_is_no_origin_without_its_meaning() -> None:
    assert not Admission("127.0.0.1").is_listed("http://localhost")
    assert LOOPBACK.is_listed("http://localhost:3000")
    assert not LOOPBACK.is_listed("https://foreign.example")
