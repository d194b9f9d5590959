#!/usr/bin/env bash
# azure-identity 1.27.0 with requests 2.34.2: the identity endpoint on loopback is asked by a proxy.
#
# Behaviour: with HTTP_PROXY set and NO_PROXY unset, ManagedIdentityCredential sends the request for
# http://127.0.0.1:PORT/, where App Service keeps its identity endpoint, to the proxy: with an
# absolute URL in the request line, and with the secret of IDENTITY_HEADER in the headers.
# Expected: an endpoint that exists on this machine only, and whose header is a secret of this
# machine, is asked directly.
# Hurts: the proxy's 127.0.0.1 is another machine, so no token comes, in an app whose other traffic
# works; and the proxy gets the secret in clear text. NO_PROXY=127.0.0.1,localhost helps.
#
# Output seen:
#   | HTTP_PROXY alone
#   |   at the proxy: GET http://127.0.0.1:ENDPOINT/token?api-version=2019-08-01&resource=https://signalr.azure.com
#   |   with X-IDENTITY-HEADER: True
#   |   at the endpoint: nothing
#   | NO_PROXY=127.0.0.1 as well
#   |   at the proxy: nothing
#   |   at the endpoint: GET /token?api-version=2019-08-01&resource=https://signalr.azure.com
#   |   with X-IDENTITY-HEADER: True
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.13}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  azure-identity==1.27.0 azure-core==1.41.0 msal==1.39.0 requests==2.34.2

cat > "$folder/ask.py" <<'PY'
import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

from azure.identity import ManagedIdentityCredential


class Peer(BaseHTTPRequestHandler):
    """Answers any request with a token, and notes it at its server."""

    def do_GET(self):
        self.server.seen.append((self.requestline, "X-IDENTITY-HEADER" in self.headers))
        body = json.dumps({"access_token": "token", "expires_on": str(int(time.time()) + 3600)})
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


def peer():
    server = HTTPServer(("127.0.0.1", 0), Peer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


endpoint, proxy = peer(), peer()


def ask(title):
    endpoint.seen, proxy.seen = [], []
    ManagedIdentityCredential(retry_total=0).get_token("https://signalr.azure.com/.default")
    print(title)
    for name, server in (("proxy", proxy), ("endpoint", endpoint)):
        if not server.seen:
            print(f"  at the {name}: nothing")
        for line, has_header in server.seen:
            line = line.replace(f":{endpoint.server_port}/", ":ENDPOINT/")
            print(f"  at the {name}: {line.removesuffix(' HTTP/1.1')}")
            print("  with X-IDENTITY-HEADER:", has_header)


for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
    del os.environ[name]
os.environ["IDENTITY_ENDPOINT"] = f"http://127.0.0.1:{endpoint.server_port}/token"
os.environ["IDENTITY_HEADER"] = "secret"
os.environ["HTTP_PROXY"] = f"http://127.0.0.1:{proxy.server_port}"
ask("HTTP_PROXY alone")
os.environ["NO_PROXY"] = "127.0.0.1"
ask("NO_PROXY=127.0.0.1 as well")
PY

"$folder/venv/bin/python" "$folder/ask.py" > "$folder/seen"
cat "$folder/seen"
sed -n 's/^#   | //p' "${BASH_SOURCE[0]}" | diff - "$folder/seen" >&2 || {
  echo 'The behaviour changed.' >&2
  exit 1
}
