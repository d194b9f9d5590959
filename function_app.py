"""The function app: settings and service client are made once and given to the functions."""

import json
import os

import azure.functions as func

# Needed further down, and imported from up here: at the end of a chain of imports it takes Python
# half as long again (python/cpython#142183, mended in 3.13.13).
import requests  # noqa: F401

import broadcast
import demo
import negotiate
import openapi
import policy
import upstream
from events import events
from problems import http_function, json_response
from shared.aio import SignalRServiceClient
from shared.local_features import is_offered
from shared.settings import Settings

settings = Settings.from_environment(os.environ)
service = SignalRServiceClient.from_settings(settings)
# The identity endpoint and the service answer while the host starts.
service.warm_up()

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
app.register_functions(
    negotiate.blueprint(
        service, settings, negotiate.NegotiateSettings.from_environment(os.environ), policy.admit
    )
)
app.register_functions(broadcast.blueprint(service, settings))
verification = upstream.UpstreamSettings.from_environment(os.environ, settings.endpoints)
app.register_functions(upstream.blueprint(service, settings, verification, events))
if is_offered(demo.OFFERED, os.environ):
    app.register_functions(demo.blueprint([each.endpoint for each in settings.endpoints]))
if is_offered(openapi.OFFERED, os.environ):
    app.register_functions(openapi.blueprint())


@app.route("health", auth_level=func.AuthLevel.ANONYMOUS)
@http_function("GET", "HEAD")
async def health(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the trigger
    """Say whether the app can hand out connections, and nothing else to an anonymous caller."""
    status = "degraded" if service.degraded else "ok"
    return json_response(json.dumps({"status": status}))
