"""An app whose policy fails for everybody, with what nobody else should know in its error."""

import os

import azure.functions as func

import negotiate
from negotiate import Caller, Connection
from shared.aio import SignalRServiceClient
from shared.settings import Settings


def fail(caller: Caller, hub: str, connection: Connection) -> Connection:
    """Fail by mistake."""
    raise RuntimeError(f"postgres://app:pass@10.0.0.5/{hub}: {caller} {connection}")


settings = Settings.from_environment(os.environ)
app = func.FunctionApp()
app.register_functions(
    negotiate.blueprint(
        SignalRServiceClient.from_settings(settings),
        settings,
        negotiate.NegotiateSettings.from_environment(os.environ),
        fail,
    )
)
