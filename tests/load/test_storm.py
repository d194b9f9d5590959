"""What fails a storm of refreshes, and which answers Microsoft's client would not understand."""

import asyncio
import os
from dataclasses import replace

import aiohttp
import pytest
from aiohttp import web

from load.account.journal import FailureKind, Journal, now
from load.account.measures import Sampler
from load.clients.app import App, UnusableAnswerError
from load.clients.client import CLOSED_TO_RETURN
from load.storm.report import storm_report
from load.storm.run import Aftermath

CLIENTS = 2


def aftermath() -> Aftermath:
    """Give what a storm without a flaw comes to."""
    journal = Journal()
    journal.durations["refresh"] = [0.5, 1.5]
    journal.failed(FailureKind.LOSS, f"webSockets: CLOSE 1000 {CLOSED_TO_RETURN}", now())
    sampler = Sampler(lambda: {"functions": os.getpid()})
    return Aftermath(journal, CLIENTS, CLIENTS, CLIENTS, True, sampler, 1.5)


FLAWLESS = aftermath()


def test_a_storm_without_a_flaw_passes() -> None:
    report = storm_report(CLIENTS, aftermath())
    assert report.problems == []
    assert report.content["milliseconds"]["max"] == 1500.0
    assert report.summary().endswith("\npassed")


@pytest.mark.parametrize(
    ("flawed", "problem"),
    [
        (replace(FLAWLESS, connected=1), "1 of 2 clients not connected"),
        (replace(FLAWLESS, stayed=1), "1 of 2 clients not still connected past the old end"),
        (replace(FLAWLESS, heard=0), "2 of 2 clients not reached by a message past the old end"),
        (
            replace(FLAWLESS, forgetful_is_gone=False),
            "the client that did not renew is still connected",
        ),
    ],
)
def test_a_client_that_is_lost_or_kept_fails_the_storm(flawed: Aftermath, problem: str) -> None:
    (found,) = storm_report(CLIENTS, flawed).problems
    assert found.startswith(problem)


def test_a_refresh_that_fails_fails_the_storm() -> None:
    flawed = aftermath()
    flawed.journal.durations["refresh"].pop()
    flawed.journal.failed(FailureKind.REFRESH, "refresh: 503", now())
    report = storm_report(CLIENTS, flawed)
    assert report.problems == ["1 of 2 clients not renewed", "1 failures without a fault"]
    assert {"kind": "refresh", "detail": "refresh: 503", "times": 1} in report.content["failures"]


def test_a_connection_that_ends_in_another_way_fails_the_storm() -> None:
    flawed = aftermath()
    flawed.journal.failures.clear()
    flawed.journal.failed(FailureKind.LOSS, "webSockets: CLOSE 1006", now())
    (problem,) = storm_report(CLIENTS, flawed).problems
    assert problem.endswith("webSockets: CLOSE 1006")


@pytest.mark.parametrize(
    "answer",
    [
        {"tokenLifetimeSeconds": 60},
        {"accessToken": "", "tokenLifetimeSeconds": 60},
        {"accessToken": "a"},
        {"accessToken": "a", "tokenLifetimeSeconds": 60.0},
        {"accessToken": "a", "tokenLifetimeSeconds": 0},
        {"accessToken": "a", "tokenLifetimeSeconds": True},
        {"accessToken": "a", "tokenLifetimeSeconds": 2**31},
        ["a", 60],
    ],
)
def test_an_answer_that_plans_no_further_refresh_is_a_failure(answer: object) -> None:
    with pytest.raises(UnusableAnswerError, match="refresh: "):
        asyncio.run(refreshed(answer))


def test_an_answer_with_both_members_renews() -> None:
    assert asyncio.run(refreshed({"accessToken": "a", "tokenLifetimeSeconds": 1})) == "a"


async def refreshed(answer: object) -> str:
    """Refresh at a server that gives one answer, and return the token."""

    async def answering(request: web.Request) -> web.Response:
        assert request.headers["X-SignalR-Connection-Token"] == "secret"
        return web.json_response(answer)

    application = web.Application()
    application.router.add_post("/api/refresh", answering)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        async with aiohttp.ClientSession() as session:
            app = App(session, f"http://127.0.0.1:{port}/api")
            return await app.refresh("secret", "ann", 1.0)
    finally:
        await runner.cleanup()
