"""The function app: its functions are made once, from its settings, and get their routes here."""

import os

import azure.functions as func

# Needed further down, and imported from up here: at the end of a chain of imports it takes Python
# half as long again (python/cpython#142183, mended in 3.13.13).
import requests  # noqa: F401

import broadcast
import demo
import negotiate
from events import events
from shared.functions import (
    HEALTH,
    OPENAPI,
    OPENAPI_OFFERED,
    UPSTREAM,
    SignalRFunctions,
    is_offered,
)

signalr = SignalRFunctions.from_environment(os.environ, policy=negotiate.admit, events=events)

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
app.register_functions(signalr.blueprint(negotiate.ROUTES))
app.register_functions(signalr.blueprint(broadcast.ROUTES))
app.register_functions(signalr.blueprint({**UPSTREAM, **HEALTH}))
if is_offered(OPENAPI_OFFERED, os.environ):
    app.register_functions(signalr.blueprint(OPENAPI))
if is_offered(demo.OFFERED, os.environ):
    app.register_functions(demo.blueprint(signalr.service.endpoints))
