"""Permission dialogs on screens, as the real CLIs draw them: what they ask, and the key for each answer."""

import pytest

from agentdeck.approvals.dialog import find

RULE, DASHES = "─" * 80, "╌" * 80
BASH_197 = [
    "● Bash(touch made.txt)", "  ⎿  Waiting…", RULE, " Bash command", "", "   touch made.txt", "   Touch a file", "",
    " Do you want to proceed?", " ❯ 1. Yes", "   2. Yes, and always allow access to orchard/ from this project",
    "   3. No", "", " Esc to cancel · Tab to amend · ctrl+e to explain",
]  # fmt: skip
BASH_329 = [
    "● Touching a file", RULE, " Bash command", " Tip: auto mode handles these prompts for you", " Touch a file",
    DASHES, " touch made.txt", DASHES, " Do you want to proceed?", " ❯ 1. Yes",
    "   2. Yes, and always allow access to /home/dev/orchard from this project",
    "   3. Yes, and switch to auto mode · auto mode handles these prompts for you", "   4. No", "", " Esc to cancel",
]  # fmt: skip
EDIT_329 = [
    RULE, " Edit file", " orchard/trees.py", DASHES, " 6 -    return 1", " 6 +    return 2", DASHES,
    " Do you want to make this edit to trees.py?", " ❯ 1. Yes",
    "   2. Yes, and switch to accept edits (auto-approve file edits and common file commands) for this session "
    "(shift+tab)",
    "   3. No", "", " Esc to cancel · Tab to amend",
]  # fmt: skip
CODEX = [
    "• Running git push --dry-run origin main", "", "  Would you like to run the following command?", "",
    "  Environment: local", "", "  Reason: May I push to the remote?", "", "  $ git push --dry-run origin main", "",
    "› 1. Yes, proceed (y)",
    "  2. Yes, and don't ask again for commands that start with `git push --dry-run origin main` (p)",
    "  3. No, and tell Codex what to do differently (esc)", "", "  Press enter to confirm or esc to cancel",
]  # fmt: skip
GEMINI = [
    f"╭{'─' * 70}╮", "│ ? Shell  python3 -c 'print(1)'" + " " * 40 + "│", f"│ ╭{'─' * 66}╮ │",
    "│ │ python3 -c 'print(1)'" + " " * 45 + "│ │", f"│ ╰{'─' * 66}╯ │",
    "│ Allow execution of [Shell]?" + " " * 43 + "│",
    "│" + " " * 70 + "│", "│ ● 1. Allow once" + " " * 54 + "│", "│   2. Allow for this session" + " " * 42 + "│",
    "│   3. No, suggest changes (esc)" + " " * 39 + "│", f"╰{'─' * 70}╯",
]  # fmt: skip
CURSOR = [
    f" ╭{'─' * 60}╮", " │ $ npm test" + " " * 49 + "│", f" ╰{'─' * 60}╯", " Run this command?",
    " Not in allowlist: npm",
    "  → Run (once) (y)", "    Add Shell(npm) to allowlist? (tab)", "    Skip (esc or n)",
]  # fmt: skip


@pytest.mark.parametrize(
    ("family", "rows", "subject", "keys"),
    [
        ("claude", BASH_197, "touch made.txt", (b"1", b"2", b"3")),
        ("claude", BASH_329, "touch made.txt", (b"1", b"2", b"4")),
        ("claude", EDIT_329, "orchard/trees.py", (b"1", b"2", b"3")),
        ("codex", CODEX, "git push --dry-run", (b"y", b"p", b"\x1b")),
        ("gemini", GEMINI, "python3 -c 'print(1)'", (b"1", b"2", b"3")),
        ("cursor", CURSOR, "npm", (b"y", b"\t", b"n")),
    ],
)
def test_a_dialog_is_read_with_the_key_of_each_answer(
    family: str, rows: list[str], subject: str, keys: tuple[bytes, bytes, bytes]
) -> None:
    dialog = find(["older text", "", *rows, "", ""], family)
    assert dialog is not None
    assert dialog.always is not None
    assert (dialog.allow.key, dialog.always.key, dialog.deny.key) == keys
    assert subject in dialog.subject
    assert dialog.is_about(subject)
    assert not dialog.is_about("something else altogether")


def test_the_row_that_is_chosen_makes_no_other_dialog_and_another_command_does() -> None:
    down = [row.replace(" ❯ 1. Yes", "   1. Yes").replace("   3. No", " ❯ 3. No") for row in BASH_197]
    other = [row.replace("made.txt", "other.txt") for row in BASH_197]
    found = [find(rows, "claude") for rows in (BASH_197, ["more above", *BASH_197], down, other)]
    marks = [dialog.mark for dialog in found if dialog is not None]
    assert len(marks) == 4
    assert marks[0] == marks[1] == marks[2] != marks[3]


@pytest.mark.parametrize("gone", range(len(BASH_197)))
def test_half_a_dialog_is_the_same_one_or_none(gone: int) -> None:
    whole, half = find(BASH_197, "claude"), find(BASH_197[:gone] + BASH_197[gone + 1 :], "claude")
    assert whole is not None
    assert half is None or half.allow.key == b"1"


def test_a_reason_that_is_being_typed_is_no_dialog_of_ours_any_more() -> None:
    typed = [row.replace("   3. No", " ❯ 3. No, use another way") for row in BASH_197]
    before, after = find(BASH_197, "claude"), find(typed, "claude")
    assert before is not None
    assert after is None or after.mark != before.mark
