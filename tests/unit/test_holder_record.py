from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentdeck.holder.record import TAIL, ExitFile, ExitRecord, exit_record

RECORD = ExitRecord(status=3, signal=None, ended=12.5, tail=b"the end\r\n", error="")


def _file(run: Path) -> ExitFile:
    file = ExitFile(str(run / "a.exit"))
    file.prepare()
    return file


@given(
    status=st.none() | st.integers(0, 255),
    signal=st.none() | st.integers(1, 64),
    tail=st.binary(max_size=300),
    error=st.text(max_size=50),
)
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_read(
    tmp_path: Path, status: int | None, signal: int | None, tail: bytes, error: str
) -> None:
    record = ExitRecord(status, signal, 99.25, tail, error)
    _file(tmp_path).write(record)
    assert exit_record(tmp_path, "a") == record


def test_the_largest_record_fits_into_what_was_reserved(tmp_path: Path) -> None:
    file = _file(tmp_path)
    reserved = (tmp_path / "a.exit").stat().st_size
    record = RECORD._replace(tail=b"x" * TAIL, error="é" * 500)
    file.write(record)
    assert (tmp_path / "a.exit").stat().st_size == reserved
    assert exit_record(tmp_path, "a") == record


def test_a_running_session_has_no_record(tmp_path: Path) -> None:
    _file(tmp_path)
    assert exit_record(tmp_path, "a") is None
    assert exit_record(tmp_path, "b") is None


@pytest.mark.parametrize("junk", [b"", b"\n", b"{}\n", b"[]\n", b"null\n", b'{"status": 1}\n', b"\xff\n", b"{\n"])
def test_junk_is_no_record(tmp_path: Path, junk: bytes) -> None:
    (tmp_path / "a.exit").write_bytes(junk)
    assert exit_record(tmp_path, "a") is None


def test_a_file_removed_after_the_end_is_written_again(tmp_path: Path) -> None:
    file = _file(tmp_path)
    file.write(RECORD)
    (tmp_path / "a.exit").unlink()
    file.prepare()
    assert exit_record(tmp_path, "a") == RECORD


def test_a_file_removed_before_the_end_is_there_at_the_end(tmp_path: Path) -> None:
    file = _file(tmp_path)
    (tmp_path / "a.exit").unlink()
    file.prepare()
    file.write(RECORD)
    assert exit_record(tmp_path, "a") == RECORD


def test_it_does_not_follow_a_link_that_somebody_put_there(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "a.exit").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError, match="symbolic link"):
        _file(tmp_path)
    assert (tmp_path / "precious").read_text() == "mine"
