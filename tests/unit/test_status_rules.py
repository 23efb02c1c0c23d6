"""Rules of screens: what a file may say, how a rule climbs, and the dialogs of which no recording was made."""

import pytest

from agentdeck.errors import ConfigError
from agentdeck.providers import builtin as providers
from agentdeck.status import rules

RULE = """\
[[rule]]
name = "asks"
state = "needs_you"
asks = "question"
weight = 0.9
since = "2.1"
until = "3"
climb = ['^keys$', { line = '^> (.*)$', within = 3 }]
never = ['^stop$']
"""


def test_a_rule_climbs_from_the_lowest_line_and_says_what_it_caught() -> None:
    known = rules.load(RULE, "x.toml")
    reading = known.read(["> first", "> second", "", "between", "keys", ""])
    assert reading is not None
    assert (reading.state, reading.words, reading.asks, reading.weight) == ("needs_you", "second", "question", 0.9)


@pytest.mark.parametrize(
    "screen",
    [
        [],
        ["> a", "keys", "something below"],
        ["> a", "1", "2", "3", "keys"],
        ["> a", "stop", "keys"],
        ["keys"],
    ],
    ids=["nothing", "not the lowest", "too far up", "what must not be", "without the rest"],
)
def test_a_rule_that_does_not_get_to_its_top_says_nothing(screen: list[str]) -> None:
    assert rules.load(RULE, "x.toml").read(screen) is None


@pytest.mark.parametrize(
    ("version", "fits"), [("", True), ("2.1.329", True), ("2.0.9", False), ("3.0", False), ("next", True)]
)
def test_a_rule_holds_for_its_versions(version: str, fits: bool) -> None:
    reading = rules.load(RULE, "x.toml").read(["> a", "keys"], version)
    assert (reading is not None) is fits


def test_the_sides_of_a_box_do_not_count() -> None:
    assert rules.load(RULE, "x.toml").read(["│> a  │", "│keys │"]) is not None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[rule]", "line 1"),
        ("rules = 1", "only [[rule]] tables"),
        ('[[rule]]\nstate = "busy"', "rule 1"),
        ('[[rule]]\nstate = "idle"\nclimb = []', "climb"),
        ('[[rule]]\nstate = "idle"\nclimb = ["("]', "is no pattern"),
        ('[[rule]]\nstate = "idle"\nclimb = [{ line = "a", within = 999 }]', "within"),
        ('[[rule]]\nstate = "idle"\nclimb = ["a"]\nweight = 2', "weight"),
        ('[[rule]]\nstate = "idle"\nclimb = ["a"]\ncolour = 1', "'colour'"),
    ],
)
def test_a_mistake_in_a_file_is_named(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        rules.load(text, "mine.toml")
    assert "mine.toml" in str(caught.value)
    assert says in str(caught.value)


def test_every_file_belongs_to_a_provider_and_can_be_read() -> None:
    for name in providers():
        rules.builtin(name)
    assert len(rules.builtin("claude").rules) > 10


PLAN = [
    " Claude has written up a plan and is ready to execute. Would you like to proceed?",
    "",
    " ❯ 1. Yes, and auto-accept edits",
    "   2. Yes, and manually approve edits",
    "   3. No, keep planning",
]
EXIT_PLAN = [" Exit plan mode?", "", "  Claude wants to exit plan mode", "", "  ❯ 1. Yes", "    2. No"]
LIMIT = [
    " You've hit your session limit · resets 4pm (Europe/Berlin)",
    "",
    " What do you want to do?",
    " ❯ 1. Stop and wait for limit to reset",
    "   2. Add funds to continue with extra usage",
    "",
    " Enter to confirm · Esc to cancel",
]
LOGIN = [
    " Select login method:",
    "",
    " ❯ 1. Claude account with subscription · Pro, Max, Team, or Enterprise",
    "   2. Anthropic Console account · API usage billing",
]
REVIEW = ["Review your answers", "", "Ready to submit your answers?", "", "❯ 1. Submit answers", "  2. Cancel"]
CODEX_QUESTION = [
    "  Which colour?",
    "",
    "  › 1. Green",
    "    2. Red",
    "",
    "  tab to add notes | enter to submit answer",
]
GEMINI_QUOTA = [
    "╭────────────────────────────────────╮",
    "│ Usage limit reached for gemini-pro │",
    "│                                    │",
    "│ ● 1. Keep trying                   │",
    "│   2. Switch to gemini-flash        │",
    "│   3. Stop                          │",
    "╰────────────────────────────────────╯",
]
CURSOR = ["Run this command?", "  rm -rf build", " → Run (once) (y) (enter)", "   Skip (esc or n)"]


@pytest.mark.parametrize(
    ("family", "screen", "state", "asks"),
    [
        ("claude", PLAN, "needs_you", "approval"),
        ("claude", EXIT_PLAN, "needs_you", "approval"),
        ("claude", LIMIT, "limited", ""),
        ("claude", LOGIN, "needs_you", "login"),
        ("claude", REVIEW, "needs_you", "question"),
        ("codex", CODEX_QUESTION, "needs_you", "question"),
        ("gemini", GEMINI_QUOTA, "limited", ""),
        ("cursor", CURSOR, "needs_you", "approval"),
    ],
)
def test_a_dialog_is_known_by_its_build(family: str, screen: list[str], state: str, asks: str) -> None:
    reading = rules.builtin(family).read(["● some words before it", "", *screen])
    assert reading is not None
    assert (reading.state, reading.asks) == (state, asks)
