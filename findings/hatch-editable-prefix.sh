#!/usr/bin/env bash
# hatchling 1.33.0 with editables 0.6: a sources prefix that wheels honour is lost in editables.
#
# Behaviour: a project whose folder is the package names it by
# `[tool.hatch.build.targets.wheel.sources] "" = "prefixed"`. `pip install .` gives `prefixed` with
# all modules. `pip install -e .` succeeds as long as all modules lie in the project's folder
# itself, but puts that folder on the path: `prefixed` cannot be imported, and each module answers
# to its bare name. Once there is a module in a subfolder, the same command fails with a ValueError.
# Expected: an editable install that offers the names of the wheel, or refuses in both cases. The
# check for what it cannot do is not reached by files of the project's folder.
# Hurts: a working `pip install -e .` breaks on the day the first subpackage comes; until then a
# module `client.py` can be imported as top-level `client`, and clash with another one.
#
# Output seen:
#   | modules in the folder itself, wheel: installed
#   |   import prefixed.client: works
#   |   import client: ModuleNotFoundError: No module named 'client'
#   | modules in the folder itself, editable: installed
#   |   import prefixed.client: ModuleNotFoundError: No module named 'prefixed'
#   |   import client: works
#   | one module in a subfolder, wheel: installed
#   |   import prefixed.client: works
#   |   import client: ModuleNotFoundError: No module named 'client'
#   | one module in a subfolder, editable: refused
#   |   ValueError: Dev mode installations are unsupported when any path rewrite in the `sources` option changes a prefix rather than removes it
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python="$folder/venv/bin/python"
"${PYTHON:-python3.13}" -m venv "$folder/venv"
"$python" -m pip install --quiet --disable-pip-version-check hatchling==1.33.0 editables==0.6

mkdir "$folder/project"
touch "$folder/project/__init__.py" "$folder/project/client.py"
cat > "$folder/project/pyproject.toml" <<'TOML'
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "prefixed"
version = "1.0"

[tool.hatch.build.targets.wheel]
include = ["*.py"]

[tool.hatch.build.targets.wheel.sources]
"" = "prefixed"
TOML

# Imports a module in a process of its own, away from the project's folder.
import_module() {
  echo "  import $1: $(cd / && "$python" -c "import $1; print('works')" 2>&1 | tail -n 1)" || true
}

# Installs the project with the options that follow the title, and says what can be imported.
install() {
  local title=$1
  shift
  if "$python" -m pip install --disable-pip-version-check --no-build-isolation "$@" \
    "$folder/project" > "$folder/log" 2>&1; then
    echo "$title: installed"
    import_module prefixed.client
    import_module client
    "$python" -m pip uninstall --quiet --yes prefixed
  else
    echo "$title: refused"
    sed -n 's/^ *\(ValueError: .*\), see: .*/  \1/p' "$folder/log"
  fi
}

{
  install 'modules in the folder itself, wheel'
  install 'modules in the folder itself, editable' --editable
  mkdir "$folder/project/parts"
  touch "$folder/project/parts/__init__.py"
  install 'one module in a subfolder, wheel'
  install 'one module in a subfolder, editable' --editable
} > "$folder/seen"
cat "$folder/seen"
sed -n 's/^#   | //p' "${BASH_SOURCE[0]}" | diff - "$folder/seen" >&2 || {
  echo 'The behaviour changed.' >&2
  exit 1
}
