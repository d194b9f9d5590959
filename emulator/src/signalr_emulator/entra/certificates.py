"""Certificates of what listens with TLS and of an app registration."""

import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization

__all__ = ["ClientCertificate", "ServerCertificate"]

_ORGANIZATION = "signalr-emulator"
_BEGIN_CERTIFICATE = "-----BEGIN CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """What a listener proves itself with.

    Attributes:
        context: TLS settings with certificate and key.
        ca_certificate: Certificate in PEM of the certificate authority that clients have to trust.
    """

    context: ssl.SSLContext
    ca_certificate: str

    @classmethod
    def generate(cls, names: Iterable[str]) -> Self:
        """Make a certificate by a new certificate authority, which can sign nothing afterwards.

        Args:
            names: Host names and addresses that clients use.
        """
        authority = trustme.CA(organization_name=_ORGANIZATION)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        authority.issue_cert(*names, organization_name=_ORGANIZATION).configure_cert(context)
        return cls(context, authority.cert_pem.bytes().decode("ascii"))


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate that an app registration signs assertions with.

    Attributes:
        certificate: Certificate in PEM; what the tenant knows.
        private_key: RSA private key in PEM; what only the app has.
    """

    certificate: str
    private_key: str = field(repr=False)

    @classmethod
    def generate(cls) -> Self:
        """Make a new one; the key takes some tens of milliseconds."""
        leaf = trustme.CA(organization_name=_ORGANIZATION).issue_cert(
            "app.invalid", organization_name=_ORGANIZATION, key_type=trustme.KeyType.RSA
        )
        return cls(
            certificate=leaf.cert_chain_pems[0].bytes().decode("ascii"),
            private_key=leaf.private_key_pem.bytes().decode("ascii"),
        )

    @classmethod
    def from_pem(cls, text: str) -> Self:
        """Read what `pem` gives.

        Raises:
            ValueError: The text is something else.
        """
        private_key, begin, rest = text.partition(_BEGIN_CERTIFICATE)
        certificate = begin + rest
        public_key = x509.load_pem_x509_certificate(certificate.encode()).public_key()
        key = serialization.load_pem_private_key(private_key.encode(), password=None)
        if key.public_key() != public_key:
            raise ValueError(text.partition("\n")[0])
        return cls(certificate, private_key)

    @property
    def pem(self) -> str:
        """Private key and certificate in one text, as `CertificateCredential` reads it."""
        return self.private_key + self.certificate
