"""A certificate authority for tests, and what it issues: good certificates and bad ones."""

import ipaddress
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PEM = serialization.Encoding.PEM
DAY = timedelta(days=1)


@dataclass
class Files:
    cert: Path
    key: Path

    def server(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert, self.key)
        return context


class Authority:
    def __init__(self, place: Path) -> None:
        self._place = place
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the authority of a test")])
        usage = x509.KeyUsage(
            digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
        )  # fmt: skip
        own = (
            self._begun(self._key, self._name)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.file = place / "ca.pem"
        self.file.write_bytes(own.public_bytes(PEM))

    def _begun(
        self, key: ec.EllipticCurvePrivateKey, name: x509.Name, starts: timedelta = -DAY, ends: timedelta = DAY
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + starts)
            .not_valid_after(now + ends)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
        )  # fmt: skip

    def issue(
        self, *hosts: str, starts: timedelta = -DAY, ends: timedelta = DAY, passphrase: bytes = b"", name: str = "leaf"
    ) -> Files:
        """A certificate for these hosts, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        named: list[x509.GeneralName] = []
        for host in hosts:
            try:
                named.append(x509.IPAddress(ipaddress.ip_address(host)))
            except ValueError:
                named.append(x509.DNSName(host))
        begun = self._begun(key, x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "leaf")]), starts, ends)
        made = (
            begun.add_extension(x509.SubjectAlternativeName(named), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        files = Files(self._place / f"{name}.pem", self._place / f"{name}.key")
        files.cert.write_bytes(made.public_bytes(PEM))
        locked = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
        files.key.write_bytes(key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, locked))
        return files
