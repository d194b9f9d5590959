"""Published limits, each with its source. What nobody publishes stands in `assumptions`."""

from typing import Final

__all__ = [
    "BILLED_SLICE",
    "CONNECTIONS_A_UNIT",
    "DEFAULT_MAX_INSTANCES",
    "ENTRA_TOKEN_LIFETIME",
    "FREE_CONNECTIONS",
    "FREE_MESSAGES_A_DAY",
    "HIGHEST_MAX_INSTANCES",
    "MEASURED_GROWTH",
    "MEASURED_RATE",
    "OUTBOUND_BYTES_A_UNIT",
    "QUOTA_UNITS",
    "RECONNECT_DELAYS",
    "SIZES",
    "SLOW_GROWTH",
    "USER_SENDS_A_UNIT",
]

CONNECTIONS_A_UNIT: Final = 1_000
"""Connections of one unit, Standard and Premium (Azure subscription limits, SignalR Service)."""

FREE_CONNECTIONS: Final = 20
"""Connections of the Free tier's one unit (same page)."""

FREE_MESSAGES_A_DAY: Final = 20_000
"""Messages of the Free tier a day, after which it sends no more (same page)."""

QUOTA_UNITS: Final = 150
"""Units of a subscription in one region, until a support request raises it (same page)."""

BILLED_SLICE: Final = 2_048
"""Bytes that count as one message; only outbound ones count (Messages and connections)."""

OUTBOUND_BYTES_A_UNIT: Final = 4_000_000
"""Bytes a second that a unit can broadcast (Performance guide, tables of broadcast)."""

USER_SENDS_A_UNIT: Final = 200
"""Messages a second to users through the REST API of a unit (Performance guide, same number for
1 to 1,000 units)."""

RECONNECT_DELAYS: Final = (0.0, 2.0, 10.0, 30.0)
"""Seconds before each try of `withAutomaticReconnect()`; then the client gives up
(@microsoft/signalr, DefaultReconnectPolicy)."""

DEFAULT_MAX_INSTANCES: Final = 100
"""Most instances of a Flex Consumption app unless set otherwise (Flex Consumption plan)."""

HIGHEST_MAX_INSTANCES: Final = 1_000
"""The highest number that can be set (same page)."""

MEASURED_RATE: Final = 40.0
"""Requests a second of one Python instance that takes one at a time: 40,000 on 1,000 instances in
Microsoft's own test (How to achieve high HTTP scale with Azure Functions Flex Consumption)."""

MEASURED_GROWTH: Final = 17.0
"""Instances that were added each second in that test: 1,000 in less than a minute."""

SLOW_GROWTH: Final = 1.0
"""Instances that the older plans add each second at most, for HTTP (Event-driven scaling)."""

ENTRA_TOKEN_LIFETIME: Final = 24 * 3_600.0
"""Seconds of a managed identity's token, which the platform itself keeps for around 24 hours
(Managed identities, frequently asked questions)."""

SIZES: Final = {
    "Standard": (*range(1, 11), *range(20, 101, 10)),
    "Premium_P2": tuple(range(100, 1_001, 100)),
}
"""Numbers of units that an instance of a tier can have (Scale an instance). Those of Premium_P1 are
those of Standard."""
