import os
from collections.abc import Callable
from pathlib import Path

import pytest
from signalr_emulator.cli import main
from signalr_emulator.errors import StateFolderError
from signalr_emulator.state.folder import kept
from signalr_emulator.state.keys import Keys


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_file_is_made_once_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "above" / "state"
    before = os.umask(0)
    try:
        assert kept(folder, "seed", lambda: "first", str) == "first"
    finally:
        os.umask(before)
    assert kept(folder, "seed", lambda: "second", str) == "first"
    assert [path.name for path in folder.iterdir()] == ["seed"]
    assert (mode(folder), mode(folder / "seed")) == (0o700, 0o600)


def test_whoever_makes_a_file_first_has_made_it_for_all(tmp_path: Path) -> None:
    def make() -> str:
        assert kept(tmp_path, "seed", lambda: "theirs", str) == "theirs"
        return "mine"

    assert kept(tmp_path, "seed", make, str) == "theirs"
    assert [path.name for path in tmp_path.iterdir()] == ["seed"]


def test_keys_come_back(tmp_path: Path) -> None:
    keys = Keys.kept_in(tmp_path)
    again = Keys.kept_in(tmp_path)
    assert (again.seed, again.application) == (keys.seed, keys.application)
    assert again.tenant.public_jwk() == keys.tenant.public_jwk()
    assert keys.seed.hex() not in repr(keys)
    assert "PRIVATE" not in repr(keys)


def open_folder(folder: Path) -> str:
    folder.chmod(0o750)
    return f"{folder} is open to other users: chmod 700 {folder}"


def open_file(folder: Path) -> str:
    file = folder / "tenant.pem"
    file.chmod(0o604)
    return f"{file} is open to other users: chmod 600 {file}"


def somebody_elses(folder: Path) -> str:
    os.chown(folder, os.geteuid() + 1, -1)
    return f"{folder} belongs to another user"


def no_seed(folder: Path) -> str:
    (folder / "seed").write_text("00" * 31)
    return f"{folder / 'seed'} is damaged: remove it, and a new one is made"


def no_key(folder: Path) -> str:
    (folder / "tenant.pem").write_bytes(b"\xff")
    return f"{folder / 'tenant.pem'} is damaged: remove it, and a new one is made"


def wrong_key(folder: Path) -> str:
    other = Keys.generate().application.private_key
    file = folder / "app-registration.pem"
    file.write_text(other + Keys.kept_in(folder).application.certificate)
    return f"{file} is damaged: remove it, and a new one is made"


def no_file(folder: Path) -> str:
    (folder / "seed").unlink()
    (folder / "seed").mkdir()
    return f"cannot use {folder / 'seed'}: Is a directory"


@pytest.mark.parametrize(
    "spoil",
    [
        open_folder,
        open_file,
        pytest.param(
            somebody_elses,
            marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away"),
        ),
        no_seed,
        no_key,
        wrong_key,
        no_file,
    ],
)
def test_a_folder_that_cannot_be_used_ends_the_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: Callable[[Path], str]
) -> None:
    folder = tmp_path / "state"
    Keys.kept_in(folder)
    reason = spoil(folder)
    assert main(["--service-port", "0", "--control-port", "0", "--state-dir", str(folder)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        f"signalr-emulator: {reason}. Choose another folder with --state-dir, for instance"
        " --state-dir .state, or none with --fresh.\n"
    )


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StateFolderError, match="Not a directory"):
        Keys.kept_in(tmp_path / "file" / "state")
