"""What strangers have written is looked through in a time that grows with its length alone."""

import subprocess
import sys

PROGRAM = """
from signalr_emulator.inspector.redaction import shown_json, shown_query

for piece in ('"', 'eyJ-', '"token":', 'AccessKey='):
    shown_json([piece * (64_000 // len(piece))])
shown_query("a" * 64_000)
"""


def test_no_text_keeps_the_emulator_busy() -> None:
    # In a process of its own, since nothing interrupts a pattern. It takes half a second, where
    # patterns that begin again within what they have read take minutes.
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=30)
