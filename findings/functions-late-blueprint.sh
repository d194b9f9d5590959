#!/usr/bin/env bash
# azure-functions 2.3.0: a Blueprint gives an app the functions it has so far, and no later ones.
#
# Behaviour: register_functions copies the list of builders. A function declared on the Blueprint
# afterwards is left out without an error or a log line, while a change to a function that was
# copied (here its name) does reach the app, since both lists hold the same builder.
# Expected: the app asks its blueprints when it is indexed; or the late declaration is refused, as
# Flask does for a blueprint that is registered already.
# Hurts: moving an import below register_functions takes its functions out of the deployed app:
# the host starts, and their URLs answer 404.
#
# Output seen:
#   | registered, then changed: Renamed
#   | changed, then registered: Renamed, late
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.13}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check azure-functions==2.3.0

cat > "$folder/app.py" <<'PY'
import azure.functions as func


def names(app):
    return ", ".join(function.get_function_name() for function in app.get_functions())


blueprint = func.Blueprint()


@blueprint.route("early")
def early(req):
    return "early"


before, after = func.FunctionApp(), func.FunctionApp()
before.register_functions(blueprint)
blueprint.function_name("Renamed")(early)


@blueprint.route("late")
def late(req):
    return "late"


after.register_functions(blueprint)
print("registered, then changed:", names(before))
print("changed, then registered:", names(after))
PY

"$folder/venv/bin/python" "$folder/app.py" > "$folder/seen"
cat "$folder/seen"
sed -n 's/^#   | //p' "${BASH_SOURCE[0]}" | diff - "$folder/seen" >&2 || {
  echo 'The behaviour changed.' >&2
  exit 1
}
