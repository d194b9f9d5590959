"""The least that negotiates without a stored key: the same three libraries, and nothing else."""

import json
import os
import time

import azure.functions as func
import jwt
import requests
from azure.identity import ManagedIdentityCredential

__all__ = ["app"]

app = func.FunctionApp()


@app.route("negotiate", auth_level=func.AuthLevel.ANONYMOUS)
def negotiate(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  the trigger
    """Get an Entra token and an access key, and sign a client token."""
    service = os.environ["AzureSignalRConnectionString__serviceUri"]  # noqa: SIM112  its name
    entra = ManagedIdentityCredential().get_token("https://signalr.azure.com/.default").token
    answer = requests.get(
        f"{service}/api/v1/auth/accessKey",
        headers={"Authorization": f"Bearer {entra}"},
        timeout=10,
    ).json()
    url = f"{service}/client/?hub=chat"
    now = int(time.time())
    token = jwt.encode(
        {"aud": url, "iat": now, "nbf": now, "exp": now + 3600},
        answer["AccessKey"],
        algorithm="HS256",
        headers={"kid": answer["KeyId"]},
    )
    return func.HttpResponse(
        json.dumps({"url": url, "accessToken": token}), mimetype="application/json"
    )
