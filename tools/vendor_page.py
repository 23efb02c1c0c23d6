"""Bring the libraries of the shared page into tui/agentdeck/gateway/page/vendor, as vendor.lock names them.

    python tools/vendor_page.py            # fetch with npm, verify what npm's registry promises, write, note the hashes
    python tools/vendor_page.py --check    # only compare the files that are there with vendor.lock; needs no network

The page has no build chain: what is here is what browsers get.
"""

import argparse
import base64
import hashlib
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path
from typing import Any

VENDOR = Path(__file__).parent.parent / "tui/agentdeck/gateway/page/vendor"
LOCK = "vendor.lock"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def problems(vendor: Path = VENDOR) -> list[str]:
    """What differs from the lock: changed, missing and unknown files."""
    named = {LOCK: None}
    found = []
    for package in tomllib.loads((vendor / LOCK).read_text("utf-8"))["package"]:
        for file in package["file"]:
            named[file["path"]] = None
            path = vendor / file["path"]
            if not path.is_file():
                found.append(f"{file['path']} is missing")
            elif sha256(path.read_bytes()) != file["sha256"]:
                found.append(f"{file['path']} is not what {package['name']} {package['version']} has")
    found += [f"{path.name} is not in {LOCK}" for path in sorted(vendor.iterdir()) if path.name not in named]
    return found


def fetch(package: dict[str, Any], scratch: Path) -> dict[str, bytes]:
    """The wanted files of a package, by the name that they get here. Raises `SystemExit` when it is another package."""
    spec = f"{package['name']}@{package['version']}"
    command = ["npm", "pack", "--silent", "--pack-destination", str(scratch), spec]
    told = subprocess.run(command, check=True, capture_output=True, text=True)
    archive = scratch / told.stdout.split()[-1]
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if integrity != package["integrity"]:
        sys.exit(f"{spec} has integrity {integrity}, not {package['integrity']}")
    with tarfile.open(archive) as tar:
        return {file["path"]: _member(tar, file["from"]) for file in package["file"]}


def _member(tar: tarfile.TarFile, name: str) -> bytes:
    member = tar.extractfile(f"package/{name}")
    assert member is not None, name
    return member.read()


def vendor() -> None:
    lock = tomllib.loads((VENDOR / LOCK).read_text("utf-8"))
    with tempfile.TemporaryDirectory() as scratch:
        for package in lock["package"]:
            for path, data in fetch(package, Path(scratch)).items():
                (VENDOR / path).write_bytes(data)
                next(file for file in package["file"] if file["path"] == path)["sha256"] = sha256(data)
    (VENDOR / LOCK).write_text(written(lock), "utf-8")


def written(lock: dict[str, Any]) -> str:
    lines = ["# The page's libraries, as npm's registry has them. tools/vendor_page.py fetches and checks them."]
    for package in lock["package"]:
        lines += ["", "[[package]]"]
        lines += [f'{key} = "{package[key]}"' for key in ("name", "version", "licence", "integrity")]
        for file in package["file"]:
            lines += ["", "[[package.file]]"] + [f'{key} = "{file[key]}"' for key in ("path", "from", "sha256")]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true", help="only compare, needs no network")
    if not parser.parse_args().check:
        vendor()
    found = problems()
    print("\n".join(found) or "all files are what vendor.lock says")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
