"""An app whose policy fails for everybody, with what nobody else should know in its error."""

import os

import azure.functions as func

from shared.functions import NEGOTIATE, Caller, Connection, SignalRFunctions


def fail(caller: Caller, hub: str, connection: Connection) -> Connection:
    """Fail by mistake, of one kind or another."""
    if hub == "forgotten":
        return None  # type: ignore[return-value]
    raise RuntimeError(f"postgres://app:pass@10.0.0.5/{hub}: {caller} {connection}")


app = func.FunctionApp()
app.register_functions(
    SignalRFunctions.from_environment(os.environ, policy=fail).blueprint(NEGOTIATE)
)
