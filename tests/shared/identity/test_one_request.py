"""However many callers an identity endpoint keeps waiting, there is one request and one error."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from shared.errors import AuthenticationError
from shared.identity.entra_tokens import EntraTokens
from shared.transport.driver import Driver
from shared.transport.flow import GetToken
from shared.transport.http import Transport


class Credential:
    """An identity endpoint that is silent until a test says so."""

    def __init__(self) -> None:
        self.asked = 0
        self.was_asked = threading.Event()
        self.answers = threading.Event()
        self.error: Exception | None = None

    def get_token(self, *_: str, **__: object) -> AccessToken:
        self.asked += 1
        self.was_asked.set()
        assert self.answers.wait(10)
        if self.error is not None:
            raise self.error
        return AccessToken("token", 2**40)


@pytest.mark.parametrize("error", [None, ClientAuthenticationError("down"), TypeError("a bug")])
async def test_on_an_event_loop(error: Exception | None) -> None:
    credential = Credential()
    credential.error = error
    tokens = EntraTokens(lambda: credential)
    driver = Driver(Transport())
    waiting = [
        asyncio.create_task(driver.perform_async(GetToken(tokens, "https://a.bc")))
        for _ in range(200)
    ]
    await asyncio.sleep(0.01)
    credential.answers.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert credential.asked == 1
    assert len({id(each) for each in results}) == 1
    assert isinstance(results[0], AuthenticationError) is (error is not None)
    driver.close()


def test_in_threads() -> None:
    credential = Credential()
    credential.error = ClientAuthenticationError("down")
    tokens = EntraTokens(lambda: credential)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(tokens.get)
        assert credential.was_asked.wait(10)
        others = [tokens.ask() for _ in range(15)]
        assert all(each.work is None for each in others), "one of them has the work"
        credential.answers.set()
        with pytest.raises(AuthenticationError, match="down") as caught:
            first.result(10)
        assert {each.token.exception(10) for each in others} == {caught.value}
    assert credential.asked == 1


async def test_a_token_that_is_still_good_is_given_while_one_renews_it() -> None:
    credential = Credential()
    credential.answers.set()
    now = 0.0
    tokens = EntraTokens(lambda: credential, clock=lambda: now)
    first = tokens.get()
    credential.answers.clear()
    now = first.expires_at - 60
    driver = Driver(Transport())
    for _ in range(3):
        given = await driver.perform_async(GetToken(tokens, "https://a.bc"))
        assert given is first, "nobody waits for an identity endpoint that hangs"
    credential.answers.set()
    driver.close()
