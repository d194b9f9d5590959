"""How handlers are registered, and how arguments are given to them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from shared import SignalRServiceClient as BlockingClient
from shared.aio import SignalRServiceClient
from shared.errors import InvalidArgumentError
from shared.functions.events.arguments import ArgumentError, Arguments, fill
from shared.functions.events.event import Category, ConnectedEvent, MessageEvent
from shared.functions.events.parameters import parameters_of
from shared.functions.events.registry import Events
from shared.functions.upstream.hub_protocol import HubProtocol
from shared.functions.upstream.json_protocol import JSON
from shared.functions.upstream.messagepack_protocol import MESSAGEPACK


@dataclass(frozen=True)
class Point:
    x: int
    y: int = 0


def texts(event: MessageEvent, user: str, text: str = "") -> None: ...
def anything(event: MessageEvent, value, more: Any = None) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN401
def points(event: MessageEvent, point: Point, names: list[str]) -> None: ...
def rest(event: MessageEvent, first: str, *numbers: int) -> None: ...
def numbers(event: MessageEvent, whole: int, real: float) -> None: ...
def when(event: MessageEvent, at: datetime, data: bytes) -> None: ...
def blob(event: MessageEvent, data: bytes) -> None: ...
def short(event: MessageEvent, text: Annotated[str, msgspec.Meta(max_length=3)]) -> None: ...
async def sends(event: MessageEvent, service: SignalRServiceClient, text: str) -> None: ...


JANUARY = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DIGITS = "0.1234567890123456789"
SECONDS = b"\xc7\x0c\xff"
"""Begins a time of twelve bytes: nanoseconds, then seconds."""
TICKS = SECONDS + (123_456_700).to_bytes(4) + int(JANUARY.timestamp()).to_bytes(8)
"""A time as .NET writes it: with a digit more than `datetime` has."""


def read(protocol: HubProtocol, handler: Callable[..., object], *written: bytes) -> Arguments:
    return fill(parameters_of(handler), [Raw(each) for each in written], protocol.read)


def given_to(handler: Callable[..., object], *arguments: object) -> list[object]:
    """Return what a handler gets for arguments that came by MessagePack."""
    return list(read(MESSAGEPACK, handler, *map(msgspec.msgpack.encode, arguments)).filled)


@pytest.mark.parametrize(
    ("handler", "arguments", "filled"),
    [
        (texts, ["ann"], ["ann"]),
        (texts, ["ann", "hi"], ["ann", "hi"]),
        (anything, [{"a": [1]}], [{"a": [1]}]),
        (anything, [None, b"\x00"], [None, b"\x00"]),
        (points, [{"x": 1}, ["a"]], [Point(1), ["a"]]),
        (rest, ["a"], ["a"]),
        (rest, ["a", 1, 2], ["a", 1, 2]),
        (numbers, [1, 2], [1, 2.0]),
        (
            when,
            [datetime(2026, 1, 2, tzinfo=UTC), b"\x00"],
            [datetime(2026, 1, 2, tzinfo=UTC), b"\x00"],
        ),
        (sends, ["hi"], ["hi"]),
    ],
)
def test_arguments_fill_the_parameters(
    handler: Callable[..., object], arguments: list[object], filled: list[object]
) -> None:
    assert given_to(handler, *arguments) == filled


@pytest.mark.parametrize(
    ("handler", "arguments", "said"),
    [
        (texts, [], "Argument 1 (user) is missing."),
        (points, [{"x": 1}], "Argument 2 (names) is missing."),
        (texts, ["a", "b", "c"], "Argument 3 is one too many."),
        (sends, ["a", "b", "c"], "Argument 2 is one too many."),
        (texts, [7], "Argument 1 (user): Expected `str`, got `int`"),
        (texts, [None], "Argument 1 (user): Expected `str`, got `None`"),
        (texts, ["a", b"b"], "Argument 2 (text): Expected `str`, got `bytes`"),
        (points, [{}, []], "Argument 1 (point): Object missing required field `x`"),
        (points, [{"x": "1"}, []], "Argument 1 (point): Expected `int`, got `str` - at `$.x`"),
        (points, [{"x": 1}, [1]], "Argument 2 (names): Expected `str`, got `int` - at `$[0]`"),
        (rest, ["a", 1, "b"], "Argument 3 (numbers): Expected `int`, got `str`"),
        (numbers, [True, 1.5], "Argument 1 (whole): Expected `int`, got `bool`"),
        (short, ["long"], "Argument 1 (text): Expected `str` of length <= 3"),
    ],
)
def test_the_argument_at_fault_is_named(
    handler: Callable[..., object], arguments: list[object], said: str
) -> None:
    with pytest.raises(ArgumentError) as caught:
        given_to(handler, *arguments)
    assert str(caught.value) == said


def digits(event: MessageEvent, *values: Decimal) -> None: ...
def prices(event: MessageEvent, by_id: dict[int, Decimal]) -> None: ...
def time(event: MessageEvent, at: datetime) -> None: ...
def untouched(event: MessageEvent, value: Raw) -> None: ...


@pytest.mark.parametrize(
    ("protocol", "handler", "written", "filled"),
    [
        (JSON, digits, b"12.50", Decimal("12.50")),
        (JSON, digits, DIGITS.encode(), Decimal(DIGITS)),
        (JSON, digits, b"123456789012345678901234567890", Decimal(123456789012345678901234567890)),
        (JSON, digits, b"1e2", Decimal("1E+2")),
        (JSON, digits, b'"12.50"', Decimal("12.50")),
        (JSON, prices, b'{"7":1234567890123456.789}', {7: Decimal("1234567890123456.789")}),
        (JSON, anything, b"12.50", 12.5),
        (JSON, time, b'"2026-01-02T03:04:05Z"', JANUARY),
        # The seventh digit of .NET's ticks is rounded away.
        (JSON, time, b'"2026-01-02T03:04:05.1234567Z"', JANUARY.replace(microsecond=123457)),
        (JSON, anything, b'"2026-01-02T03:04:05.1234567Z"', "2026-01-02T03:04:05.1234567Z"),
        (JSON, blob, b'"AAE="', b"\x00\x01"),
        # .NET writes its decimals as text in MessagePack.
        (MESSAGEPACK, digits, msgspec.msgpack.encode(DIGITS), Decimal(DIGITS)),
        (MESSAGEPACK, digits, msgspec.msgpack.encode(12.5), Decimal("12.5")),
        (MESSAGEPACK, time, TICKS, JANUARY.replace(microsecond=123457)),
        (MESSAGEPACK, anything, TICKS, JANUARY.replace(microsecond=123457)),
    ],
)
def test_digits_of_numbers_and_times(
    protocol: HubProtocol, handler: Callable[..., object], written: bytes, filled: object
) -> None:
    (argument,) = read(protocol, handler, written).filled
    assert argument == filled
    assert str(argument) == str(filled)


@pytest.mark.parametrize(
    ("protocol", "written"),
    [(JSON, b'{"at": 12.50}'), (MESSAGEPACK, TICKS), (MESSAGEPACK, b"\xd4\x05\x01")],
)
def test_raw_is_what_the_client_wrote(protocol: HubProtocol, written: bytes) -> None:
    (argument,) = read(protocol, untouched, written).filled
    assert argument == Raw(written)


def test_an_extension_type_that_nobody_knows_is_kept() -> None:
    arguments = read(MESSAGEPACK, anything, b"\xd4\x05\x01")
    assert arguments.given == arguments.filled == (msgspec.msgpack.Ext(5, b"\x01"),)


@pytest.mark.parametrize(
    ("protocol", "handler", "written", "said"),
    [
        (JSON, anything, b'"\xff"', "(value) has text that is not Unicode"),
        (JSON, anything, b"1e999", "(value) cannot be read: Number out of range"),
        (JSON, time, b'"9999-12-31T23:59:59.9999999Z"', "(at): Invalid RFC3339 encoded datetime"),
        (MESSAGEPACK, texts, b"\xa2\xff\xfe", "(user) has text that is not Unicode"),
        (MESSAGEPACK, anything, b"\x91\x81\xa1\xff\x01", "(value) has text that is not Unicode"),
        (MESSAGEPACK, time, SECONDS + bytes(4) + (2**40).to_bytes(8), "(at) cannot be read: "),
        # The last moment of .NET's DateTime, which rounds into the year 10000.
        (
            MESSAGEPACK,
            anything,
            SECONDS + (999_999_900).to_bytes(4) + (253402300799).to_bytes(8),
            "(value) cannot be read: year 10000 is out of range",
        ),
        (MESSAGEPACK, anything, b"\x81\x81\x01\x02\x03", "(value) cannot be read: "),
        (MESSAGEPACK, time, b"\xd4\x05\x01", "(at): Expected `datetime`, got `ext`"),
    ],
)
def test_what_python_cannot_hold_is_a_fault_of_its_argument(
    protocol: HubProtocol, handler: Callable[..., object], written: bytes, said: str
) -> None:
    with pytest.raises(ArgumentError) as caught:
        read(protocol, handler, written)
    assert str(caught.value).startswith(f"Argument 1 {said}")


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.sampled_from([texts, points, rest, numbers, when, short]), st.lists(values, max_size=4))
def test_any_arguments_fit_or_are_named(
    handler: Callable[..., object], arguments: list[object]
) -> None:
    try:
        filled = given_to(handler, *arguments)
    except ArgumentError as error:
        assert str(error).startswith("Argument ")
    else:
        assert len(filled) == len(arguments)


def no_event() -> None: ...
def only_rest(*event: str) -> None: ...
def by_name(event: MessageEvent, *, text: str) -> None: ...
def any_names(event: MessageEvent, **texts: str) -> None: ...
def blocking(event: MessageEvent, service: SignalRServiceClient) -> None: ...
async def bare(event: MessageEvent, service, text: str) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001
async def other_client(event: MessageEvent, service: BlockingClient) -> None: ...
async def perhaps(event: MessageEvent, service: SignalRServiceClient | None = None) -> None: ...
async def too_late(event: MessageEvent, text: str, signalr: SignalRServiceClient) -> None: ...


@pytest.mark.parametrize("handler", [no_event, only_rest, by_name, any_names, blocking])
def test_handlers_that_could_never_run(handler: Callable[..., object]) -> None:
    with pytest.raises(TypeError, match=rf"^{handler.__name__} \(\S+registry.py, line \d+\)"):
        Events().on_message("chat", "say")(handler)


@pytest.mark.parametrize("handler", [bare, other_client, perhaps, too_late])
def test_a_service_client_that_would_wait_for_an_argument(
    handler: Callable[..., object],
) -> None:
    told = (
        rf"^{handler.__name__} \(\S+registry.py, line \d+\): \w+ does not get the service client; "
        ".* of the module aio$"
    )
    for register in (Events().on_message("chat", "say"), Events().on_connected("chat")):
        with pytest.raises(TypeError, match=told):
            register(handler)


def test_an_argument_may_be_called_service() -> None:
    def book(event: MessageEvent, service: str) -> None: ...

    assert given_to(book, "wash") == ["wash"]


def test_a_connection_has_no_arguments() -> None:
    def more(event: ConnectedEvent, text: str) -> None: ...

    with pytest.raises(TypeError, match=r"line \d+\): 'connected' has no arguments, .* of the mod"):
        Events().on_connected("chat")(more)


def test_an_event_has_one_handler() -> None:
    events = Events()
    assert events.on_message("chat", "say")(texts) is texts
    events.on_message("news", "say")(texts)
    events.on_message("chat", "connected")(texts)
    with pytest.raises(ValueError, match=r"^texts .*'SAY' of hub 'Chat' has .* already, texts \("):
        events.on_message("Chat", "SAY")(texts)


def test_the_handler_that_says_most_of_a_hub_runs() -> None:
    events = Events()
    events.on_message("tenant_*", "say")(texts)
    events.on_message("Tenant_VIP_*", "say")(points)
    events.on_message("tenant_1", "say")(rest)
    events.on_message("tenant_1", "other")(when)

    def runs(hub: str, target: str = "say") -> Callable[..., object] | None:
        found = events.handler(hub, Category.MESSAGES, target)
        return None if found is None else found.function

    assert runs("tenant_1") is rest
    assert runs("TENANT_vip_1", "SAY") is points
    assert runs("tenant_2") is texts
    assert runs("tenant_2", "other") is None
    assert runs("chat") is None
    assert events.handler("tenant_2", Category.CONNECTIONS, "say") is None


@pytest.mark.parametrize("pattern", ["*", "*_1", "t*nt_*"])
def test_a_pattern_ends_with_its_star(pattern: str) -> None:
    with pytest.raises(InvalidArgumentError, match="is no pattern of hubs"):
        Events().on_connected(pattern)


def test_a_hub_has_a_valid_name() -> None:
    with pytest.raises(InvalidArgumentError):
        Events().on_connected("no hub")


def test_names_count_in_any_case_and_categories_are_apart() -> None:
    events = Events()
    events.on_message("Chat", "Connected")(texts)
    found = events.handler("CHAT", Category.MESSAGES, "connecteD")
    assert found is not None
    assert found.function is texts
    assert events.handler("chat", Category.CONNECTIONS, "connected") is None
