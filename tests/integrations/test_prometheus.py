"""The metrics page, asked over real sockets."""

import http.client
import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from agentdeck import events as e
from agentdeck.errors import UsageError
from agentdeck.integrations.prometheus import CONTENT_TYPE, Exporter, address, exposition, serve
from agentdeck.realtime import MetricsCollector, SessionWatcher
from tests.fakes.pen import Pen
from tests.realtime.happening import START, base, returned, said, used

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LINE = re.compile(rf'({NAME})(\{{{NAME}="(?:[^"\\\n]|\\.)*"(?:,{NAME}="(?:[^"\\\n]|\\.)*")*\}})? (\S+)')


def read(page: str) -> dict[str, float]:
    """Read a page by the rules of its format."""
    found: dict[str, float] = {}
    described: set[str] = set()
    for line in page.splitlines():
        if line.startswith("#"):
            described.add(line.split()[2])
            continue
        match = LINE.fullmatch(line)
        assert match, line
        assert match[1] in described
        assert match[1] + (match[2] or "") not in found
        found[match[1] + (match[2] or "")] = float(match[3])
    return found


def ask(exporter: Exporter, path: str = "/metrics", method: str = "GET", **headers: str) -> tuple[int, str, str]:
    connection = http.client.HTTPConnection(*exporter.address, timeout=30)
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response.status, response.headers["Content-Type"], body


@pytest.fixture
def metrics() -> MetricsCollector:
    metrics = MetricsCollector(now=lambda: START.timestamp() + 1)
    metrics.apply(said(0, prompt=10, output=5, name="m1", model='odd "model"\n\\'))
    metrics.apply(used(0, "c1"))
    metrics.apply(returned(0, "c1", is_error=True))
    metrics.apply(e.ErrorRaised(**base(0), text="x"))
    return metrics


@pytest.fixture
def exporter(metrics: MetricsCollector) -> Iterator[Exporter]:
    with serve(":0", metrics) as exporter:
        yield exporter


def test_the_numbers_are_served_in_the_format(exporter: Exporter) -> None:
    status, kind, body = ask(exporter)
    assert (status, kind) == (200, CONTENT_TYPE)
    found = read(body)
    assert found['agentdeck_active_sessions{provider="claude"}'] == 1
    assert found["agentdeck_messages_total"] == 1
    assert found["agentdeck_messages_per_minute"] == 0.2
    assert found['agentdeck_tool_calls_total{tool="Bash"}'] == 1
    assert found['agentdeck_tool_results_total{status="error"}'] == 1
    assert found["agentdeck_tool_error_ratio"] == 1
    assert found["agentdeck_errors_total"] == 1
    assert found['agentdeck_output_tokens_total{model="odd \\"model\\"\\n\\\\"}'] == 5
    assert "s1" not in body, "sessions are no labels"


def test_there_is_a_page_before_anything_happened() -> None:
    found = read(exposition(MetricsCollector().snapshot()))
    assert found["agentdeck_sessions_total"] == 0
    assert "agentdeck_tool_error_ratio" not in found, "there is no rate of nothing"


def test_a_head_has_no_body_and_other_pages_and_methods_do_not_exist(exporter: Exporter) -> None:
    assert ask(exporter, method="HEAD")[::2] == (200, "")
    assert ask(exporter, "/metrics?x=1")[0] == 200
    assert ask(exporter, "/")[0] == 404
    assert ask(exporter, method="POST")[0] == 501


def test_a_web_page_cannot_read_it_through_a_name_of_its_own(exporter: Exporter) -> None:
    assert ask(exporter, Host="evil.example.org:9464")[0] == 403
    assert ask(exporter, Host="")[0] == 403
    for host in ("localhost", "localhost:9464", "127.0.0.1:1", "[::1]:9464"):
        assert ask(exporter, Host=host)[0] == 200, host


def test_it_listens_on_loopback_unless_told_otherwise(exporter: Exporter) -> None:
    assert exporter.address[0] == "127.0.0.1"
    assert exporter.url == f"http://127.0.0.1:{exporter.address[1]}/metrics"


def test_who_hangs_up_leaves_no_trace_on_the_screen(exporter: Exporter, capfd: pytest.CaptureFixture[str]) -> None:
    for request in (b"", b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", b"nonsense\r\n\r\n", b"\xff" * 70_000):
        with socket.create_connection(exporter.address) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.sendall(request)
    assert ask(exporter)[0] == 200
    assert capfd.readouterr() == ("", "")


def test_a_silent_client_holds_up_nobody(exporter: Exporter) -> None:
    with socket.create_connection(exporter.address):
        assert ask(exporter)[0] == 200


def test_the_port_is_free_again_afterwards(metrics: MetricsCollector) -> None:
    with serve(":0", metrics) as exporter:
        port = exporter.address[1]
        assert ask(exporter)[0] == 200
    with serve(f":{port}", metrics) as exporter:
        assert ask(exporter)[0] == 200


def test_a_port_that_is_taken_is_a_sentence(exporter: Exporter, metrics: MetricsCollector) -> None:
    with pytest.raises(UsageError, match=r"cannot be served on 127.0.0.1:\d+: Address already in use"):
        serve(f":{exporter.address[1]}", metrics)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (":9464", ("127.0.0.1", 9464)),
        ("9464", ("127.0.0.1", 9464)),
        ("0.0.0.0:80", ("0.0.0.0", 80)),
        ("[::1]:9464", ("::1", 9464)),
        ("localhost:0", ("localhost", 0)),
    ],
)
def test_addresses_are_read(text: str, expected: tuple[str, int]) -> None:
    assert address(text) == expected


@pytest.mark.parametrize("text", ["", ":", "x", "localhost:", ":65536", ":-1", ":9464x", ":٣", "a b:c"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no address to listen on"):
        address(text)


@pytest.mark.parametrize("host", ["192.0.2.1", "a" * 70])
def test_a_host_that_cannot_be_had_is_a_sentence(host: str, metrics: MetricsCollector) -> None:
    with pytest.raises(UsageError, match="metrics cannot be served on"):
        serve(f"{host}:0", metrics)


def test_it_is_fed_by_a_watcher(tmp_path: Path) -> None:
    Pen(tmp_path, "s1").ask("hello")
    watcher, metrics = SessionWatcher(home=tmp_path, since=timedelta(hours=1)), MetricsCollector()
    watcher.on_any(metrics.apply)
    watcher.on("message")(lambda event: watcher.stop())
    with serve(":0", metrics) as exporter:
        watcher.start()
        found = read(ask(exporter)[2])
    assert found["agentdeck_messages_total"] == found['agentdeck_active_sessions{provider="claude"}'] == 1
