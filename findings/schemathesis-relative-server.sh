#!/usr/bin/env bash
# schemathesis 4.32.5: a relative server URL is not resolved against the description's own address.
#
# Behaviour: an OpenAPI 3.1 description at /api/openapi.json has the server ".", so that its paths
# begin at /api/ (OpenAPI 3.1, Server Object: relative to where the description is). schemathesis
# resolves "." against the host alone and drops /api. A server "/api" works.
# Expected: http://HOST/api/items, as URL resolution (RFC 3986, section 5) gives it.
# Hurts: every request goes to an address that does not exist, and is answered 404. Such a server is
# the only one that is right under any path prefix and behind any proxy.
#
# Output seen:
#   | server "/api": GET /api/items
#   | server ".": GET /items
#   | server "./v1": GET /v1/items
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.13}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check schemathesis==4.32.5

cat > "$folder/relative.py" <<'PY'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import schemathesis

ANSWERS = {"200": {"description": "Here they are."}}
server_url = ""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        described = self.path == "/api/openapi.json"
        if not described:
            print(f'server "{server_url}": GET {self.path}')
        self.send_response(200 if described else 404)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        description = {
            "openapi": "3.1.0",
            "info": {"title": "Items", "version": "1"},
            "servers": [{"url": server_url}],
            "paths": {"/items": {"get": {"responses": ANSWERS}}},
        }
        self.wfile.write(json.dumps(description).encode())

    def log_message(self, *_):
        pass


listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=listening.serve_forever, daemon=True).start()
for server_url in ("/api", ".", "./v1"):
    address = f"http://127.0.0.1:{listening.server_address[1]}/api/openapi.json"
    schema = schemathesis.openapi.from_url(address)
    schema["/items"]["GET"].Case().call()
PY

"$folder/venv/bin/python" "$folder/relative.py" > "$folder/seen"
cat "$folder/seen"
sed -n 's/^#   | //p' "${BASH_SOURCE[0]}" | diff - "$folder/seen" >&2 || {
  echo 'The behaviour changed.' >&2
  exit 1
}
