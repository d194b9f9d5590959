import os
import subprocess
import sys

from load.account.measures import Sampler, descendants


def test_a_program_is_looked_at_with_what_it_has_started() -> None:
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1); input()'])"
    with subprocess.Popen(
        [sys.executable, "-uc", child], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        sampler = Sampler(lambda: {"program": process.pid, "self": os.getpid()})
        assert len(descendants(process.pid)) == 2
        sampler.sample()
        process.communicate(b"\n")
    assert sampler.series["program"].megabytes[0] > 5
    assert 0 <= sampler.machine_share() <= 1
