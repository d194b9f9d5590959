import pytest

from shared.errors import InvalidArgumentError
from shared.keys.connection_options import ConnectionOptions, Transports


@pytest.mark.parametrize(
    ("options", "claims"),
    [
        (ConnectionOptions(), {}),
        (ConnectionOptions(transports=Transports.WEB_SOCKETS), {"asrs.s.htt": "1"}),
        (ConnectionOptions(transports=Transports.SERVER_SENT_EVENTS), {"asrs.s.htt": "2"}),
        (
            ConnectionOptions(transports=Transports.WEB_SOCKETS | Transports.LONG_POLLING),
            {"asrs.s.htt": "5"},
        ),
        (
            ConnectionOptions(close_at=1_000_000.9),
            {"asrs.s.coae": "true", "asrs.s.aeo": "1000000"},
        ),
        (ConnectionOptions(detailed_errors=True), {"asrs.s.derror": "True"}),
        (ConnectionOptions(handshake_timeout=1), {"asrs.s.cht": "1"}),
        (ConnectionOptions(handshake_timeout=30), {"asrs.s.cht": "30"}),
        (ConnectionOptions(max_poll_interval=1), {"asrs.s.ttl": "1"}),
        (ConnectionOptions(max_poll_interval=300), {"asrs.s.ttl": "300"}),
        (
            ConnectionOptions(
                transports=Transports.LONG_POLLING,
                close_at=7,
                detailed_errors=True,
                handshake_timeout=20,
                max_poll_interval=60,
            ),
            {
                "asrs.s.derror": "True",
                "asrs.s.htt": "4",
                "asrs.s.cht": "20",
                "asrs.s.ttl": "60",
                "asrs.s.coae": "true",
                "asrs.s.aeo": "7",
            },
        ),
    ],
)
def test_claims(options: ConnectionOptions, claims: dict[str, str]) -> None:
    assert options.claims() == claims


@pytest.mark.parametrize("seconds", [-1, 0, 31])
def test_bounds_of_the_handshake(seconds: int) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^handshake_timeout must be from 1 to 30 sec"):
        ConnectionOptions(handshake_timeout=seconds)


@pytest.mark.parametrize("seconds", [-1, 0, 301])
def test_bounds_of_the_time_between_polls(seconds: int) -> None:
    with pytest.raises(
        InvalidArgumentError, match=r"^max_poll_interval must be from 1 to 300 seconds"
    ):
        ConnectionOptions(max_poll_interval=seconds)


@pytest.mark.parametrize("moment", [float("nan"), float("inf"), float("-inf")])
def test_a_connection_is_closed_at_a_moment(moment: float) -> None:
    with pytest.raises(InvalidArgumentError, match=r"^close_at "):
        ConnectionOptions(close_at=moment)


def test_a_client_has_a_way_to_connect() -> None:
    with pytest.raises(InvalidArgumentError, match=r"^transports must name one"):
        ConnectionOptions(transports=Transports(0))
