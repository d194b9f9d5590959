#!/usr/bin/env bash
# msal 1.39.0 below azure-identity 1.27.0: get_token raises an error outside Azure's tree of errors.
#
# Behaviour: the identity endpoint answers 200 with well-formed JSON that is no object. msal looks
# fields up in it as in a dict, and azure-identity lets Python's AttributeError out of get_token.
# Expected: what the docstring of get_token promises, CredentialUnavailableError or
# ClientAuthenticationError (both are AzureError), and a message that says that the answer is no
# token. Text that is no JSON at all does become an AzureError.
# Hurts: `except AzureError` around a call does not hold, so that a faulty endpoint looks like a
# mistake in the app's own code; "'list' object has no attribute 'get'" names no endpoint.
#
# Output seen:
#   | []: AttributeError, AzureError: False: 'list' object has no attribute 'get'
#   | null: AttributeError, AzureError: False: 'NoneType' object has no attribute 'get'
#   | no JSON: DecodeError, AzureError: True: JSON is invalid: Expecting value: line 1 column 1 (char 0)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.13}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  azure-identity==1.27.0 azure-core==1.41.0 msal==1.39.0 requests==2.34.2

cat > "$folder/ask.py" <<'PY'
import logging
import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from azure.core.exceptions import AzureError
from azure.identity import ManagedIdentityCredential


class IdentityEndpoint(BaseHTTPRequestHandler):
    body = ""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body.encode())

    def log_message(self, *_):
        pass


logging.disable()
server = HTTPServer(("127.0.0.1", 0), IdentityEndpoint)
threading.Thread(target=server.serve_forever, daemon=True).start()
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
os.environ["IDENTITY_ENDPOINT"] = f"http://127.0.0.1:{server.server_port}/token"
os.environ["IDENTITY_HEADER"] = "header"

for IdentityEndpoint.body in ("[]", "null", "no JSON"):
    try:
        ManagedIdentityCredential(retry_total=0).get_token("https://signalr.azure.com/.default")
    except (AttributeError, AzureError) as error:
        kind = f"{type(error).__name__}, AzureError: {isinstance(error, AzureError)}"
        print(f"{IdentityEndpoint.body}: {kind}: {str(error).splitlines()[0]}")
PY

"$folder/venv/bin/python" "$folder/ask.py" > "$folder/seen"
cat "$folder/seen"
sed -n 's/^#   | //p' "${BASH_SOURCE[0]}" | diff - "$folder/seen" >&2 || {
  echo 'The behaviour changed.' >&2
  exit 1
}
