"""The emulator's cells and Textual's measure have to agree, or a row is shifted."""

import unicodedata

import pytest
from rich.cells import cell_len

from agentdeck.terminal import width
from agentdeck.terminal.emulator import Emulator


def test_all_of_unicode_is_as_wide_as_textual_measures_it() -> None:
    """One character to a place, 2,500 places to a screen; unassigned ones are left to whoever assigns them."""
    known = [
        chr(code) for code in range(0x20, 0x20000) if unicodedata.category(chr(code)) not in ("Cc", "Cs", "Cn", "Co")
    ]
    emulator = Emulator(200, 50, reply=lambda _: None, scrollback=0)
    for start in range(0, len(known), 50 * 50):
        places = known[start : start + 50 * 50]
        emulator.feed(b"\x1b[2J")
        for n, character in enumerate(places):
            emulator.feed(b"\x1b[%d;%dH" % (n // 50 + 1, n % 50 * 4 + 1) + character.encode())
        emulator.refresh()
        for y in range(50):
            row = emulator.row(y).text
            assert cell_len(row) == 200, ascii(row)
    emulator.close()


@pytest.mark.parametrize(
    "cluster",
    [
        "é",
        "│─█",
        "✻",
        "⏺",
        "❯",
        "日語",
        "한",
        "กำ",
        "👍",
        "❤️",
        "☺️",
        "👩\u200d👩\u200d👧",
        "🇩🇪",
        "👍🏽",
        "1️⃣",
        "क्षि",
        "\xad",
        "…",
    ],
)
def test_clusters_are_as_wide_as_textual_measures_them(cluster: str) -> None:
    emulator = Emulator(40, 2, reply=lambda _: None)
    emulator.feed(b"|" + cluster.encode() + b"|")
    emulator.refresh()
    row = emulator.row(0).text
    assert cell_len(row) == 40
    assert cluster in row
    emulator.close()


@pytest.mark.parametrize(
    ("cluster", "columns", "shown"),
    [
        ("日", 2, "日"),
        ("x", 1, "x"),
        (" ", 2, "  "),
        ("\x07", 1, " "),
        ("\u202e", 1, " "),
        ("日", 1, "\ufffd"),
        ("x", 2, "\ufffd "),
        ("\U0001f1e9", 2, "\ufffd "),
        ("🇩🇪", 2, "🇩🇪"),
        ("\U0001f3fd", 2, "\ufffd "),
        ("👍🏽", 2, "👍🏽"),
        ("❤\ufe0f", 2, "❤\ufe0f"),
        ("a\u200d", 1, "a"),
        ("\u0301", 1, "\ufffd"),
    ],
)
def test_a_cell_gets_text_that_takes_exactly_its_columns(cluster: str, columns: int, shown: str) -> None:
    assert width.fitted(cluster, columns) == shown
