"""Files with which an app proves itself at the authority, for as long as the emulator runs."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..errors import FileUnavailableError

__all__ = ["CredentialFiles", "credential_files"]

_CA_NAME = "ca.pem"
_TOKEN_NAME = "federated-token.jwt"  # noqa: S105 - a file's name


@dataclass(frozen=True, slots=True)
class CredentialFiles:
    """Where the files are.

    Attributes:
        ca_certificate: Certificate that a client of the authority has to trust, in PEM.
        client_certificate: Private key and certificate of the app registration, in PEM.
        federated_token: Token of the external issuer.
    """

    ca_certificate: Path
    client_certificate: Path
    federated_token: Path


@contextmanager
def credential_files(
    ca_certificate: str,
    client_certificate: str,
    federated_token: str,
    *,
    ca_file: Path | None = None,
    federated_token_file: Path | None = None,
) -> Iterator[CredentialFiles]:
    """Write the files, readable by this user alone, and remove them at the end.

    Args:
        ca_certificate: Contents of the file.
        client_certificate: Contents of the file. It lies beside the certificate authority's, and
            is called the same with `-client` before the suffix.
        federated_token: Contents of the file.
        ca_file: Where the certificate authority's is; in a new private folder if None.
        federated_token_file: Where the token is; in a new private folder if None.

    Raises:
        FileUnavailableError: One of the files cannot be written.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="signalr-emulator-")))
        ca_file = (ca_file or folder / _CA_NAME).absolute()
        files = CredentialFiles(
            ca_certificate=ca_file,
            client_certificate=ca_file.with_name(f"{ca_file.stem}-client{ca_file.suffix}"),
            federated_token=(federated_token_file or folder / _TOKEN_NAME).absolute(),
        )
        for path, text in (
            (files.ca_certificate, ca_certificate),
            (files.client_certificate, client_certificate),
            (files.federated_token, federated_token),
        ):
            stack.enter_context(_written(path, text))
        yield files


@contextmanager
def _written(path: Path, text: str) -> Iterator[None]:
    try:
        _write(path, text)
    except OSError as error:
        raise FileUnavailableError(path, error.strerror or str(error)) from error
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _write(path: Path, text: str) -> None:
    # A new file in place of the old one: the old one's mode may let others read it.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
