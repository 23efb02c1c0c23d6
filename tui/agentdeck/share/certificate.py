"""Certificates of the gateway: one of our own making, or the files that its owner gives us.

Ours vouches for nothing but itself, so whoever comes must compare its fingerprint: the link carries it for
`agentdeck join`, people read it in their browser. It lasts days, and is replaced long before it ends: links live a day.
"""

import base64
import hashlib
import ipaddress
import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agentdeck.errors import UsageError
from agentdeck.share import reach

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes

FILE: Final = "gateway.pem"
"""In the run directory: key and certificate in one, so that they always fit each other."""

LIFE: Final = timedelta(days=14)

RENEW: Final = timedelta(days=3)
"""What must be left of it: no link lives as long."""

EARLY: Final = timedelta(days=1)
"""Clocks of other machines may be late."""


@dataclass(frozen=True, slots=True)
class Certificate:
    fingerprint: str
    """SHA-256 of the whole certificate, in hex."""
    self_signed: bool
    hosts: tuple[str, ...]
    """Names and addresses that it is good for, in lower case."""


def readable(fingerprint: str) -> str:
    """As browsers show it."""
    return ":".join(re.findall("..", fingerprint.upper()))


def pin(fingerprint: str) -> str:
    """As links carry it: shorter than hex."""
    return base64.urlsafe_b64encode(bytes.fromhex(fingerprint)).decode().rstrip("=")


def unsealed(link: str) -> str:
    """A link without the fingerprint, for browsers, who do not read it: its picture is smaller."""
    head, mark, secret = link.partition("#")
    return head + mark + secret.partition(".")[0]


def unpinned(text: str) -> str:
    """A fingerprint as anybody writes it, in hex. Raises `UsageError`."""
    plain = text.strip().removeprefix("sha256:").removeprefix("SHA256:")
    bare = re.sub(r"[:\s]", "", plain).lower()
    if re.fullmatch(r"[0-9a-f]{64}", bare):
        return bare
    if re.fullmatch(r"[\w-]{43}", plain, re.ASCII):
        return base64.urlsafe_b64decode(plain + "=").hex()
    raise UsageError(
        "that is no SHA-256 fingerprint of a certificate", hint="it has 64 hexadecimal digits, as share prints it"
    )


# ── our own ────────────────────────────────────────────────────────────────────────────────────


def own(file: Path, hosts: Iterable[str], needed: Iterable[str]) -> Certificate:
    """The certificate in this file; made anew for `hosts` when there is none, it ends soon or lacks one of `needed`."""
    try:
        kept = load(file, file)
        if set(needed) <= set(kept.hosts) and _left(file) > RENEW:
            return kept
    except UsageError:
        pass
    _make(file, list(hosts))
    return load(file, file)


def _left(file: Path) -> timedelta:
    return _read(file).not_valid_after_utc - datetime.now(UTC)


def _make(file: Path, hosts: list[str]) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "agentdeck")])
    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    named = [
        x509.IPAddress(ipaddress.ip_address(host)) if reach.is_address(host) else x509.DNSName(host) for host in hosts
    ]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLY)
        .not_valid_after(now + LIFE)
        .add_extension(x509.SubjectAlternativeName(named), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    text = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(pem)
    temporary = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with open(fd, "wb") as writing:
        writing.write(text)
    temporary.replace(file)


# ── the owner's files ──────────────────────────────────────────────────────────────────────────


def load(cert: Path, key: Path) -> Certificate:
    """Look at a certificate and its key. Raises `UsageError`: unreadable, not of each other, not valid today."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    first = _read(cert)
    now = datetime.now(UTC)
    if first.not_valid_after_utc <= now:
        raise UsageError(f"the certificate {cert} expired on {first.not_valid_after_utc:%Y-%m-%d}", hint="renew it")
    if first.not_valid_before_utc > now:
        raise UsageError(
            f"the certificate {cert} is not valid before {first.not_valid_before_utc:%Y-%m-%d %H:%M} UTC",
            hint="is the clock of this machine right?",
        )
    if _public(first.public_key()) != _public(_key(key).public_key()):
        raise UsageError(f"the key {key} does not belong to the certificate {cert}", hint="give the two that fit")
    hosts: list[str] = []
    try:
        named = first.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        hosts = [name.lower() for name in named.get_values_for_type(x509.DNSName)]
        hosts += [str(address) for address in named.get_values_for_type(x509.IPAddress)]
    except (x509.ExtensionNotFound, ValueError):
        pass
    fingerprint = hashlib.sha256(first.public_bytes(serialization.Encoding.DER)).hexdigest()
    return Certificate(fingerprint, first.issuer == first.subject, tuple(hosts))


def covers(certificate: Certificate, host: str) -> bool:
    """Whether browsers take this certificate for this host."""
    if host in certificate.hosts:
        return True
    _, _, parent = host.partition(".")
    return bool(parent) and not reach.is_address(host) and f"*.{parent}" in certificate.hosts


def best_host(certificate: Certificate, hosts: Iterable[str]) -> str:
    """The first of our hosts that a certificate is good for, or else a name of its own; empty: there is none."""
    ours = next((host for host in hosts if covers(certificate, host)), "")
    return ours or next((host for host in certificate.hosts if "*" not in host and not reach.is_loopback(host)), "")


def _bytes(file: Path) -> bytes:
    try:
        if not file.is_file():
            raise UsageError(f"there is no file {file}", hint="--cert and --key take files in PEM format")
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}", hint="is it yours?") from error


def _read(file: Path) -> "x509.Certificate":
    """The first certificate of a chain."""
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificates(_bytes(file))[0]
    except ValueError as error:
        raise UsageError(f"{file} holds no certificate", hint="--cert takes a chain in PEM format") from error


def _key(file: Path) -> "PrivateKeyTypes":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(_bytes(file), None)
    except TypeError as error:
        raise UsageError(
            f"the key {file} is locked with a passphrase", hint="openssl pkey -in KEY -out PLAIN unlocks a copy"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise UsageError(f"{file} holds no private key", hint="--key takes a key in PEM format") from error


def _public(key: "PublicKeyTypes") -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
