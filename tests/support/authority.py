"""A certificate authority of a test's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_PEM = serialization.Encoding.PEM


class Authority:
    """Signs certificates; `file` is what those trust who believe it."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name, self._key = folder, name, ec.generate_private_key(ec.SECP256R1())
        self.file = folder / f"{name}.pem"
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        self._write(self.file, self._signed(name, self._key.public_key(), constraints))

    def issue(self, name: str, *places: str) -> tuple[Path, Path]:
        """Return the files of a certificate and its key; `places` are the host names and addresses that it is for."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([_place(each) for each in places or (name,)])
        certificate, secret = (self._folder / f"{self._name}-{name}.{ending}" for ending in ("pem", "key"))
        self._write(certificate, self._signed(name, key.public_key(), names))
        form = serialization.PrivateFormat.PKCS8
        secret.write_bytes(key.private_bytes(_PEM, form, serialization.NoEncryption()))
        return certificate, secret

    def _signed(self, name: str, key: ec.EllipticCurvePublicKey, more: x509.ExtensionType) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().public_key(key).serial_number(x509.random_serial_number())
        builder = builder.subject_name(_called(name)).issuer_name(_called(self._name))
        builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        builder = builder.add_extension(more, critical=isinstance(more, x509.BasicConstraints))
        return builder.sign(self._key, hashes.SHA256())

    @staticmethod
    def _write(path: Path, certificate: x509.Certificate) -> None:
        path.write_bytes(certificate.public_bytes(_PEM))


def _called(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _place(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
