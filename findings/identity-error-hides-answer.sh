#!/usr/bin/env bash
# azure-identity 1.27.0 with msal 1.39.0: an identity endpoint that fails is reported as missing.
#
# Behaviour: IDENTITY_ENDPOINT and IDENTITY_HEADER are set, the endpoint answers 500 and says why in
# a JSON object. Unless the reason stands in "statusCode" and "message", ManagedIdentityCredential
# drops the status and the reason, says that the configuration was not found in the environment,
# and names the scope as invalid. The error is a CredentialUnavailableError.
# Expected: the status 500 and the words of the answer, and a ClientAuthenticationError, since the
# credential was available and was refused.
# Hurts: who reads the log looks for a missing setting or a wrong scope; and a
# ChainedTokenCredential takes the outage for "not here" and goes on as another identity.
#
# Output seen:
#   | {"error": "server_error", "error_description": "The identity is not ready"}
#   |   CredentialUnavailableError: App Service managed identity configuration not found in environment. Token request error: (invalid_scope) None, None
#   | {"error": {"code": "NotReady", "message": "The identity is not ready"}}
#   |   CredentialUnavailableError: App Service managed identity configuration not found in environment. Token request error: (invalid_scope) None, None
#   | {"statusCode": 500, "message": "The identity is not ready"}
#   |   CredentialUnavailableError: App Service managed identity configuration not found in environment. Token request error: (invalid_scope) 500, The identity is not ready
#   | in a chain the next credential is asked: True
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.13}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  azure-identity==1.27.0 azure-core==1.41.0 msal==1.39.0 requests==2.34.2

cat > "$folder/ask.py" <<'PY'
import json
import logging
import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError
from azure.identity import ChainedTokenCredential, ManagedIdentityCredential

SCOPE = "https://signalr.azure.com/.default"
REASON = "The identity is not ready"
ANSWERS = [
    {"error": "server_error", "error_description": REASON},
    {"error": {"code": "NotReady", "message": REASON}},
    {"statusCode": 500, "message": REASON},
]


class IdentityEndpoint(BaseHTTPRequestHandler):
    body = b""

    def do_GET(self):
        self.send_response(500)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_):
        pass


class Next:
    asked = False

    def get_token(self, *_, **__):
        self.asked = True
        return AccessToken("another identity", 4102444800)


logging.disable()
server = HTTPServer(("127.0.0.1", 0), IdentityEndpoint)
threading.Thread(target=server.serve_forever, daemon=True).start()
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
os.environ["IDENTITY_ENDPOINT"] = f"http://127.0.0.1:{server.server_port}/token"
os.environ["IDENTITY_HEADER"] = "header"

for answer in ANSWERS:
    print(json.dumps(answer))
    IdentityEndpoint.body = json.dumps(answer).encode()
    try:
        ManagedIdentityCredential(retry_total=0).get_token(SCOPE)
    except AzureError as error:
        print(f"  {type(error).__name__}: {error}")

following = Next()
ChainedTokenCredential(ManagedIdentityCredential(retry_total=0), following).get_token(SCOPE)
print("in a chain the next credential is asked:", following.asked)
PY

"$folder/venv/bin/python" "$folder/ask.py" > "$folder/seen"
cat "$folder/seen"
sed -n 's/^#   | //p' "${BASH_SOURCE[0]}" | diff - "$folder/seen" >&2 || {
  echo 'The behaviour changed.' >&2
  exit 1
}
