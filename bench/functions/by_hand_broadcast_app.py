"""A function that sends a message, as a careful user writes it: one session, one credential."""

import os

import azure.functions as func
import requests
from azure.identity import ManagedIdentityCredential

__all__ = ["app"]

app = func.FunctionApp()
_service = os.environ["AzureSignalRConnectionString__serviceUri"]  # noqa: SIM112  its name
_credential = ManagedIdentityCredential()
_session = requests.Session()


@app.route("broadcast", auth_level=func.AuthLevel.ANONYMOUS)
def broadcast(req: func.HttpRequest) -> func.HttpResponse:
    """Send the message in the body to everyone."""
    entra = _credential.get_token("https://signalr.azure.com/.default").token
    answer = _session.post(
        f"{_service}/api/hubs/chat/:send?api-version=2022-06-01",
        json=req.get_json(),
        headers={"Authorization": f"Bearer {entra}"},
        timeout=15,
    )
    return func.HttpResponse(status_code=answer.status_code)
