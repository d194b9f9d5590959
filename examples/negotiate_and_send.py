"""Makes the token of one client and sends to it, without Functions and without a stored key.

SIGNALR_ENDPOINT=https://<name>.service.signalr.net python -m examples.negotiate_and_send
"""

import os

from azure.identity import DefaultAzureCredential

from shared import SignalRServiceClient

with SignalRServiceClient(os.environ["SIGNALR_ENDPOINT"], DefaultAzureCredential()) as service:
    access = service.get_client_access_token("chat", user_id="ann")
    print(access.url, access.token)
    service.send_to_user("chat", "ann", "newMessage", ["Hello"])
