#!/usr/bin/env bash
# azure-functions 2.3.0: a decorator applied to a function works on the one decorated last.
#
# Behaviour: the decorators of FunctionApp return a builder. Given a builder, they do not use it,
# but take the newest one of the app instead. So `app.function_name("ListOrders")(orders)`, called
# after another function was declared, renames that other function and returns its builder; and with
# a function of a Blueprint, which an app without functions does not have, an IndexError comes out.
# Expected: the function handed over is the one that changes, as in f(x); or an error that says that
# a function is finished when the next begins.
# Hurts: what is added in a loop, or in a second step by configuration (a name, a binding), lands at
# the wrong function without a word, while `@` above a `def` works by accident of the order.
#
# Output seen:
#   | before: orders -> orders(), health -> health()
#   | after function_name("ListOrders")(orders): orders -> orders(), ListOrders -> health()
#   | what it returned is the builder of health: True
#   | a Blueprint's function in an empty app: IndexError: pop from empty list
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.13}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check azure-functions==2.3.0

cat > "$folder/app.py" <<'PY'
import azure.functions as func


def declare():
    app = func.FunctionApp()

    @app.route("orders")
    def orders(req):
        return "orders"

    @app.route("health")
    def health(req):
        return "health"

    return app, orders, health


def described(app):
    return ", ".join(
        f"{function.get_function_name()} -> {function.get_user_function().__name__}()"
        for function in app.get_functions()
    )


app, orders, health = declare()
print("before:", described(app))

app, orders, health = declare()
returned = app.function_name("ListOrders")(orders)
print('after function_name("ListOrders")(orders):', described(app))
print("what it returned is the builder of health:", returned is health)

blueprint = func.Blueprint()


@blueprint.route("late")
def late(req):
    return "late"


try:
    func.FunctionApp().function_name("Late")(late)
except IndexError as error:
    print(f"a Blueprint's function in an empty app: {type(error).__name__}: {error}")
PY

"$folder/venv/bin/python" "$folder/app.py" > "$folder/seen"
cat "$folder/seen"
sed -n 's/^#   | //p' "${BASH_SOURCE[0]}" | diff - "$folder/seen" >&2 || {
  echo 'The behaviour changed.' >&2
  exit 1
}
