"""How handlers are registered, and how arguments are given to them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import SignalRServiceClient as BlockingClient
from shared.aio import SignalRServiceClient
from shared.errors import InvalidArgumentError
from shared.functions.events.arguments import ArgumentError, fill
from shared.functions.events.event import Category, ConnectedEvent, MessageEvent
from shared.functions.events.parameters import parameters_of
from shared.functions.events.registry import Events


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
def short(event: MessageEvent, text: Annotated[str, msgspec.Meta(max_length=3)]) -> None: ...
async def sends(event: MessageEvent, service: SignalRServiceClient, text: str) -> None: ...


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
            ["2026-01-02T03:04:05Z", "AAE="],
            [datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), b"\x00\x01"],
        ),
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
    assert fill(parameters_of(handler), arguments) == filled


@pytest.mark.parametrize(
    ("handler", "arguments", "said"),
    [
        (texts, [], "Argument 1 (user) is missing."),
        (points, [{"x": 1}], "Argument 2 (names) is missing."),
        (texts, ["a", "b", "c"], "Argument 3 is one too many."),
        (sends, ["a", "b", "c"], "Argument 2 is one too many."),
        (texts, [7], "Argument 1 (user): Expected `str`, got `int`"),
        (texts, [None], "Argument 1 (user): Expected `str`, got `null`"),
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
        fill(parameters_of(handler), arguments)
    assert str(caught.value) == said


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.sampled_from([texts, points, rest, numbers, when, short]), st.lists(values, max_size=4))
def test_any_arguments_fit_or_are_named(
    handler: Callable[..., object], arguments: list[object]
) -> None:
    try:
        filled = fill(parameters_of(handler), arguments)
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
    with pytest.raises(TypeError, match=handler.__name__):
        Events().on_message("chat", "say")(handler)


@pytest.mark.parametrize("handler", [bare, other_client, perhaps, too_late])
def test_a_service_client_that_would_wait_for_an_argument(
    handler: Callable[..., object],
) -> None:
    told = rf"^{handler.__name__}: \w+ does not get the service client; .* of the module aio$"
    for register in (Events().on_message("chat", "say"), Events().on_connected("chat")):
        with pytest.raises(TypeError, match=told):
            register(handler)


def test_an_argument_may_be_called_service() -> None:
    def book(event: MessageEvent, service: str) -> None: ...

    assert fill(parameters_of(book), ["wash"]) == ["wash"]


def test_a_connection_has_no_arguments() -> None:
    def more(event: ConnectedEvent, text: str) -> None: ...

    with pytest.raises(TypeError, match="has no arguments"):
        Events().on_connected("chat")(more)


def test_an_event_has_one_handler() -> None:
    events = Events()
    assert events.on_message("chat", "say")(texts) is texts
    events.on_message("news", "say")(texts)
    events.on_message("chat", "connected")(texts)
    with pytest.raises(ValueError, match="'SAY' of hub 'Chat'"):
        events.on_message("Chat", "SAY")(texts)


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
