"""Which server connection a client gets, and what becomes of it when that ends."""

from typing import Any

import pytest
from signalr_emulator.server_connections.live import ServerConnection
from signalr_emulator.server_connections.registry import ServerConnections
from signalr_emulator.service_protocol.messages import ClientInvocation, ConnectionKind

from emulator.tests.server_connections.servers import Carried, Written, server


def registry(*servers: ServerConnection) -> ServerConnections:
    made = ServerConnections()
    for each in servers:
        made.add(each)
    return made


def carrier(servers: ServerConnections, hub: str = "chat", **claims: Any) -> str | None:  # noqa: ANN401 - a claim
    found = servers.carrier(hub, {name.replace("_", "."): value for name, value in claims.items()})
    return None if found is None else found.connection_id


def test_a_client_gets_the_least_loaded_connection_of_its_hub() -> None:
    servers = registry(
        server("a", clients=2), server("b", clients=1), server("c", clients=1),
        server("news", hub="news"), server("weak", ConnectionKind.WEAK),
        server("on demand", ConnectionKind.ON_DEMAND, clients=3),
    )  # fmt: skip
    assert carrier(servers) == "b"
    assert carrier(servers, "news") == "news"
    assert carrier(servers, "other") is None


@pytest.mark.parametrize(
    ("wanted", "sticky", "found"),
    [
        ("busy", "Required", "a"),
        ("busy", "required", "a"),
        ("busy", "Preferred", "a"),
        ("busy", None, "a"),
        ("gone", "Required", None),
        ("gone", "Preferred", "c"),
        (None, None, "c"),
        (None, "Required", None),
        (["busy"], "Required", None),
    ],
)
def test_a_sticky_client_gets_the_server_that_negotiated(
    wanted: object, sticky: str | None, found: str | None
) -> None:
    servers = registry(
        server("a", server_id="busy", clients=2), server("b", server_id="busy", clients=3),
        server("c", server_id="idle"), server("d", ConnectionKind.WEAK, server_id="gone"),
    )  # fmt: skip
    claims = {"asrs_s_sn": wanted, "asrs_s_ssticky": sticky}
    given: dict[str, Any] = {name: value for name, value in claims.items() if value is not None}
    assert carrier(servers, **given) == found


def test_a_server_that_leaves_gets_no_client() -> None:
    leaving = server("a", server_id="one")
    leaving.is_leaving = True
    servers = registry(leaving, server("b", server_id="two", clients=9))
    assert carrier(servers) == "b"
    assert carrier(servers, asrs_s_sn="one") == "b"
    assert carrier(servers, asrs_s_sn="one", asrs_s_ssticky="Required") is None


@pytest.mark.parametrize(("level", "end"), [(0, "lost"), (1, "lost"), (2, "moved to b")])
def test_clients_of_a_lost_connection_move_if_they_may(level: int, end: str) -> None:
    lost = server("a", migration_level=level)
    servers = registry(lost, server("b"))
    client = Carried("one").join(lost)
    servers.remove(lost)
    assert client.happened[:1] == [end]
    assert servers.of_hub("chat") == [servers.find("chat", "b")]


def test_clients_move_to_the_least_loaded_of_other_servers() -> None:
    leaving = server("a", server_id="one")
    servers = registry(
        leaving, server("b", server_id="one"), server("c", clients=1), server("d"),
        server("e", ConnectionKind.WEAK), server("f", hub="news"),
    )  # fmt: skip
    clients = [Carried(str(number)).join(leaving) for number in range(4)]
    servers.move_clients(leaving)
    ends = [each.happened for each in clients]
    assert ends == [["moved to d"], ["moved to c"], ["moved to d"], ["moved to c"]]


def test_nobody_to_move_to() -> None:
    leaving = server("a", server_id="one")
    servers = registry(leaving, server("b", server_id="one"))
    client = Carried("one").join(leaving)
    servers.move_clients(leaving)
    assert client.happened == []


def test_what_is_removed_twice_or_was_never_there_ends_nothing() -> None:
    one, same_id = server("a"), server("a")
    servers = registry(one)
    client = Carried("one").join(one)
    servers.remove(server("unknown", hub="news"))
    servers.remove(one)
    servers.remove(one)
    assert client.happened == ["lost"]
    assert servers.all() == []
    servers.add(same_id)
    # A connection that ends late is not the one that has its id now.
    servers.remove(one)
    assert servers.all() == [same_id]


def test_what_a_lost_connection_has_asked_is_forgotten() -> None:
    lost, other = server("a"), server("b")
    servers = registry(lost, other)
    servers.invocations.asked(lost, ClientInvocation("1", "c", "s", ()))
    servers.remove(lost)
    servers.invocations.client_gone("c")
    assert Written.of(lost) == []
    assert not servers.invocations.is_waiting("1")


def test_all_are_listed_by_hub_and_age() -> None:
    servers = registry(server("c"), server("n", hub="alpha"), server("a"))
    assert [each.connection_id for each in servers.all()] == ["n", "c", "a"]
    assert ServerConnections().instance_id != servers.instance_id
