"""Refreshes the authentication of connections as an app does, by REST."""

from datetime import UTC, datetime

from signalr_emulator.documents.json_text import Json

from emulator.tests.wire import Answer, Wire

V = "?api-version=2026-07-01"
FOR_EVER = "9999-12-31T23:59:59.9999999Z"

type Pairs = list[tuple[str, str]]


def iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def listed(claims: Pairs) -> list[Json]:
    return [{"type": kind, "value": value} for kind, value in claims]


def pairs(answer: Answer) -> Pairs:
    assert answer.status == 200, answer.body
    assert answer.json.keys() == {"claims"}
    return [(each["type"], each["value"]) for each in answer.json["claims"]]


async def refresh(
    wire: Wire,
    connection_token: str,
    claims: Pairs | None = None,
    *,
    until: str = FOR_EVER,
    hub: str = "chat",
    query: str = "",
) -> Answer:
    body: dict[str, Json] = {"connectionToken": connection_token, "expireTime": until}
    if claims is not None:
        body["claims"] = listed(claims)
    return await wire.rest("POST", f"/api/hubs/{hub}/connections/:refreshAuth{V}{query}", body=body)


async def read(
    wire: Wire, connection_token: str, *, method: str = "QUERY", hub: str = "chat", query: str = ""
) -> Answer:
    body: Json = {"connectionToken": connection_token}
    return await wire.rest(method, f"/api/hubs/{hub}/connections/claims{V}{query}", body=body)
