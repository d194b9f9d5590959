import asyncio

import pytest

from shared.transport.flow import Effect, EffectResult, Flow, NoAnswerError, Sleep, run, run_async


def conversation(log: list[str]) -> Flow[str]:
    answer = yield Sleep(1)
    log.append(f"got {answer}")
    try:
        yield Sleep(2)
    except NoAnswerError as error:
        log.append(f"raised {error}")
    yield Sleep(3)
    return "end"


def perform(effect: Effect) -> EffectResult:
    assert isinstance(effect, Sleep)
    if effect.seconds == 2:
        raise NoAnswerError("lost", delivered=False)
    return None


async def perform_async(effect: Effect) -> EffectResult:
    await asyncio.sleep(0)
    return perform(effect)


async def test_both_ways_hold_the_same_conversation() -> None:
    blocking: list[str] = []
    awaiting: list[str] = []
    assert run(conversation(blocking), perform) == "end"
    assert await run_async(conversation(awaiting), perform_async) == "end"
    assert blocking == awaiting == ["got None", "raised lost"]


async def test_an_error_that_the_flow_does_not_expect_comes_out() -> None:
    def flow() -> Flow[None]:
        yield Sleep(2)

    with pytest.raises(NoAnswerError):
        run(flow(), perform)
    with pytest.raises(NoAnswerError):
        await run_async(flow(), perform_async)


async def test_a_conversation_without_steps() -> None:
    def flow() -> Flow[int]:
        yield from ()
        return 7

    assert run(flow(), perform) == 7
    assert await run_async(flow(), perform_async) == 7
