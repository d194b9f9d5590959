"""The policies of docs/negotiate.md, run as they stand there."""

import re
from pathlib import Path
from typing import Any

import pytest

from shared import Transports
from shared.functions.negotiate.caller import Caller
from shared.functions.negotiate.policy import Connection, NotAllowedError

TEXT = (Path(__file__).parents[2] / "docs" / "negotiate.md").read_text()
ADMINISTRATORS, TENANTS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def admit(code: str, caller: Caller, hub: str) -> Connection:
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102  our own documentation
    connection: Connection = names["admit"](caller, hub, Connection("ann"))
    return connection


def test_administrators_alone_get_a_short_connection_that_ends_with_their_session() -> None:
    assert admit(ADMINISTRATORS, Caller("ann"), "chat") == Connection("ann")
    with pytest.raises(NotAllowedError):
        admit(ADMINISTRATORS, Caller("ann"), "admin")
    with pytest.raises(NotAllowedError):
        admit(ADMINISTRATORS, Caller("ann", {"roles": "administrative"}), "admin")
    assert admit(ADMINISTRATORS, Caller("ann", {"roles": "admin"}), "admin").options is not None
    granted = admit(ADMINISTRATORS, Caller("ann", {"roles": ["admin"]}, 5.0), "admin")
    assert granted.minutes_to_expire == 5
    assert granted.options is not None
    assert granted.options.close_at == 5.0


def test_tenants_keep_to_themselves() -> None:
    caller = Caller("ann", {"tid": "t1"})
    granted = admit(TENANTS, caller, "tenant_t1")
    assert granted.options is not None
    assert granted.options.transports is Transports.WEB_SOCKETS
    with pytest.raises(NotAllowedError):
        admit(TENANTS, caller, "tenant_t2")
    with pytest.raises(NotAllowedError):
        admit(TENANTS, Caller("bob"), "tenant_t1")
