"""An agent of signalrcore: `python -m interop.clients.python.signalrcore OPTIONS`."""

import logging
import os
from typing import Any

from signalrcore.hub_connection_builder import (  # type: ignore[import-untyped]  # has no annotations
    HubConnectionBuilder,
)
from signalrcore.types import (  # type: ignore[import-untyped]  # as above
    HttpTransportType,
    HubProtocolEncoding,
)

from . import lines

_TRANSPORTS = {
    "websockets": HttpTransportType.web_sockets,
    "serverSentEvents": HttpTransportType.server_sent_events,
    "longPolling": HttpTransportType.long_polling,
}
_PROTOCOLS = {"json": HubProtocolEncoding.text, "messagepack": HubProtocolEncoding.binary}


def build(url: str, transport: str, protocol: str) -> Any:  # noqa: ANN401  has no annotations
    """Return a client that reports what becomes of its connection."""
    client = (
        HubConnectionBuilder()
        .with_url(url, options={"transport": _TRANSPORTS[transport]})
        .with_hub_protocol(_PROTOCOLS[protocol])
        .configure_logging(logging.INFO)
        .with_automatic_reconnect({"type": "raw", "reconnect_interval": 1})
        .build()
    )
    client.on_open(lambda: lines.say("connected"))
    client.on_reconnect(lambda: lines.say("reconnected"))
    client.on_close(lambda: lines.say("closed", error=None))
    client.on_error(lambda failed: lines.say("result", id=failed.invocation_id, error=failed.error))
    return client


def do(client: Any, command: dict[str, Any]) -> None:  # noqa: ANN401  as above
    """Do what a command says."""
    match command:
        case {"do": "start"}:
            client.start()
        case {"do": "on", "target": target}:
            client.on(
                target,
                lambda arguments: lines.say("message", target=target, arguments=arguments),
            )
        case {"do": "send", "target": target, "arguments": arguments}:
            client.send(target, arguments)
            lines.say("sent")
        case {"do": "invoke", "id": invocation, "target": target, "arguments": arguments}:
            client.invoke(
                target,
                arguments,
                on_invocation=lambda done: lines.say("result", id=invocation, value=done.result),
                invocation_id=invocation,
            )
        case {"do": "stop"}:
            client.stop()


def main() -> None:
    """Do what standard input says until it ends."""
    chosen = lines.options()
    client = build(chosen.url, chosen.transport, chosen.protocol)
    lines.ready("signalrcore", ["send", "invoke", "reconnect"])
    for command in lines.commands():
        try:
            do(client, command)
        except Exception as error:  # noqa: BLE001  whatever it raises is reported
            lines.say("failed", error=repr(error))
    # Its threads would keep the process.
    os._exit(0)


if __name__ == "__main__":
    main()
