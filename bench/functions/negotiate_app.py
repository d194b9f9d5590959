"""The function app with two more functions in the same worker, to hold negotiation against."""

import json
import os
from datetime import UTC, datetime, timedelta

import azure.functions as func
import jwt

from function_app import app

__all__ = ["app"]

os.environ["USUAL_CONNECTION_STRING"] = (
    "Endpoint=https://contoso.service.signalr.net;"
    "AccessKey=ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH;Version=1.0;"
)


@app.route("empty", auth_level=func.AuthLevel.ANONYMOUS)
async def empty(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the trigger
    """Do nothing: the limit."""
    return func.HttpResponse("")


@app.route("usual", auth_level=func.AuthLevel.ANONYMOUS)
def usual(req: func.HttpRequest) -> func.HttpResponse:
    """Negotiate as people write it today: a blocking function, an access key, `jwt.encode`."""
    connection = os.environ["USUAL_CONNECTION_STRING"]
    parts = dict(part.split("=", 1) for part in connection.split(";") if part)
    url = f"{parts['Endpoint']}/client/?hub=chat"
    claims = {
        "aud": url,
        "exp": datetime.now(UTC) + timedelta(hours=1),
        "nameid": req.headers.get("x-ms-client-principal-id"),
    }
    token = jwt.encode(claims, parts["AccessKey"], algorithm="HS256")
    return func.HttpResponse(
        json.dumps({"url": url, "accessToken": token}), mimetype="application/json"
    )
