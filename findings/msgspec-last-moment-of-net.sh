#!/usr/bin/env bash
# msgspec 0.22.0: the last moment of .NET, as MessagePack, cannot be read.
#
# Behaviour: `msgspec.msgpack.decode` rounds the nanoseconds of a timestamp (extension -1) to the
# nearest microsecond before it looks whether the year is one that Python has. What .NET writes for
# DateTimeOffset.MaxValue, the moment 9999-12-31T23:59:59.9999999Z, is thereby in the year 10000, and
# a ValueError comes out: for the whole document, whatever else is in it.
# Expected: the last microsecond that a datetime has, as other readers cut the rest off.
# Hurts: DateTimeOffset.MaxValue is how .NET programs say "for ever". Azure SignalR's SDK writes it in
# a message of the service protocol (RefreshAuth: the connection keeps its end), and any DTO may.
# `msgspec.Raw` at that place, or `msgspec.msgpack.Ext`, is the way around it.
#
# Output seen:
#   | 9999-12-31T23:59:59.9999990Z: 9999-12-31 23:59:59.999999+00:00
#   | 9999-12-31T23:59:59.9999999Z: ValueError
#   | beside other values: ValueError
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.13}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check msgspec==0.22.0

cat > "$folder/read.py" <<'PY'
import struct

from msgspec.msgpack import decode

SECONDS = 253_402_300_799


def timestamp(nanoseconds):
    """The long form of the MessagePack specification: 12 bytes, nanoseconds first."""
    return b"\xc7\x0c\xff" + struct.pack(">Iq", nanoseconds, SECONDS)


def read(document):
    try:
        return decode(document)
    except ValueError as error:
        return type(error).__name__


print("9999-12-31T23:59:59.9999990Z:", read(timestamp(999_999_000)))
print("9999-12-31T23:59:59.9999999Z:", read(timestamp(999_999_900)))
print("beside other values:", read(b"\x92\xa2id" + timestamp(999_999_900)))
PY

"$folder/venv/bin/python" "$folder/read.py" > "$folder/seen"
cat "$folder/seen"
sed -n 's/^#   | //p' "${BASH_SOURCE[0]}" | diff - "$folder/seen" >&2 || {
  echo 'The behaviour changed.' >&2
  exit 1
}
