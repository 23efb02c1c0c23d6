"""Start a session: which agent, where, under what name, with what to do first.

Everything is checked here, where it can still be mended: a sentence under the field, and nothing is lost.
"""

import asyncio
import os
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Input, Label, OptionList
from textual.widgets.option_list import Option

from agentdeck.ui import glyphs
from agentdeck.ui.directories import Completion, complete, expand
from agentdeck.ui.figures import clean, cut, fit
from agentdeck.ui.screens.dialog import Dialog, button, buttons, sentence

INDENT: Final = 11
"""Cells before the fields, for their labels."""
DEADLINE: Final = 1.5
"""Seconds that a disk may take to answer before the dialog goes on without it."""


@dataclass(frozen=True, slots=True)
class ProviderChoice:
    name: str
    label: str
    found: bool
    install: str
    """The command that installs it; empty when there is none to give."""


@dataclass(frozen=True, slots=True)
class NewSessionChoice:
    provider: str
    cwd: str
    """Absolute; it was an existing directory a moment ago."""
    name: str
    """Empty: the hub makes one up."""
    prompt: str
    args: tuple[str, ...]


class Field(Horizontal):
    """A label and an input in one row."""

    DEFAULT_CSS = """
    Field { height: 1; }
    Field > Label { width: 11; color: $foreground-muted; }
    Field > Input { width: 1fr; }
    Field:focus-within > Label { color: $text-primary; text-style: bold; }
    """

    def __init__(self, label: str, id: str, value: str = "", hint: str = "") -> None:
        super().__init__()
        self._label = label
        self._field = Input(value, compact=True, id=id, placeholder=hint, select_on_focus=False)

    def compose(self) -> ComposeResult:
        yield Label(self._label)
        yield self._field


class NewSession(Dialog[NewSessionChoice | None]):
    DEFAULT_CSS = """
    NewSession OptionList { height: auto; max-height: 6; margin: 0 0 1 0; }
    NewSession #candidates, NewSession #problem { height: 1; padding: 0 0 0 11; }
    NewSession #problem { padding: 0; height: auto; max-height: 2; }
    NewSession .buttons { margin: 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "forward", show=False, priority=True),
        Binding("ctrl+s", "start", show=False, priority=True),
    ]

    title_text = "new session"
    keys = "enter start  tab next field  esc cancel"

    def __init__(self, providers: Sequence[ProviderChoice], cwd: str, ask_prompt: bool) -> None:
        super().__init__()
        self._providers = sorted(providers, key=lambda provider: not provider.found)
        self._home = os.path.expanduser("~")  # noqa: PTH111
        self._cwd, self._ask_prompt = cwd, ask_prompt
        self._completion: tuple[str, Completion] | None = None
        self._typed = ""

    def parts(self) -> Iterable[Widget]:
        yield OptionList(*(self._option(provider) for provider in self._providers), compact=True, id="provider")
        yield Field("directory", "cwd", self._short(self._cwd))
        yield sentence("", "muted", id="candidates")
        yield Field("name", "name", hint="made up from the directory")
        if self._ask_prompt:
            yield Field("prompt", "prompt", hint="what it should do first")
        yield Field("arguments", "args", hint="passed on as they are")
        yield sentence("", "problem", id="problem")
        yield buttons(button("Start", "start"), button("Cancel", "cancel"))

    def on_mount(self) -> None:
        super().on_mount()
        options = self.query_one("#provider", OptionList)
        options.highlighted = 0 if self._providers else None
        self.query_one("#prompt" if self._ask_prompt else "#provider").focus()

    def _option(self, provider: ProviderChoice) -> Option:
        label = fit(clean(provider.label), 16, glyphs.active().ellipsis)
        if provider.found:
            return Option(Content(f" {label}"), id=provider.name)
        hint = clean(provider.install) or "not found"
        return Option(
            Content.assemble((f" {label} ", "$foreground-muted"), (hint, "$foreground-muted italic")), id=provider.name
        )

    def _short(self, path: str) -> str:
        home = self._home.rstrip("/")
        return "~" + path[len(home) :] if home and (path == home or path.startswith(home + "/")) else path

    # ── the directory ──────────────────────────────────────────────────────────────────────────

    @on(Input.Changed, "#cwd")
    def _directory_typed(self, event: Input.Changed) -> None:
        self._typed = event.value
        self._say("")
        self._look(event.value)

    @work(exclusive=True, group="directory")
    async def _look(self, text: str) -> None:
        """Show what the directory may become, while it is typed."""
        completion = await self._complete(text)
        if completion is not None and text == self._typed:
            self._show_candidates(completion if completion.problem else None)

    async def _complete(self, text: str) -> Completion | None:
        """None when the disk does not answer in time: then nobody knows, and the hub will say."""
        if self._completion is not None and self._completion[0] == text:
            return self._completion[1]
        try:
            found = await asyncio.wait_for(asyncio.to_thread(complete, text, self._home), DEADLINE)
        except TimeoutError:
            return None
        self._completion = (text, found)
        return found

    def _show_candidates(self, completion: Completion | None) -> None:
        names = "  ".join(f"{clean(name)}/" for name in completion.candidates) if completion else ""
        for label in self.query("#candidates").results(Label):  # none any more when the deck closes meanwhile
            label.update(Content(cut(names, max(0, label.size.width - INDENT), glyphs.active().ellipsis)))

    async def action_forward(self) -> None:
        """Complete a directory that is typed in part; anywhere else, and when that helps no more, go on."""
        field = self.focused
        if isinstance(field, Input) and field.id == "cwd":
            text = field.value
            completion = await self._complete(text)
            if completion and completion.problem and completion.text != text:
                field.value = completion.text
                field.cursor_position = len(field.value)
                return
        self.focus_next()

    # ── the answer ─────────────────────────────────────────────────────────────────────────────

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    @on(Button.Pressed, "#start")
    async def action_start(self) -> None:
        provider = self._chosen()
        if provider is None:
            self._say("choose what to start")
            return
        if not provider.found:
            how = f": {provider.install}" if provider.install else ""
            self._say(f"{provider.label} is not installed{how}", "provider")
            return
        completion = await self._complete(self._value("cwd"))
        if not self.is_current:  # left while the disk was asked
            return
        if completion is not None and completion.problem:
            self._say(completion.problem, "cwd")
            return
        try:
            args = tuple(shlex.split(self._value("args")))
        except ValueError as error:
            self._say(f"arguments: {str(error).lower()}", "args")
            return
        cwd = expand(self._value("cwd"), self._home)
        prompt = self._value("prompt") if self._ask_prompt else ""
        self.dismiss(NewSessionChoice(provider.name, cwd, self._value("name").strip(), prompt, args))

    @on(Button.Pressed, "#cancel")
    def _cancel_pressed(self) -> None:
        self.dismiss(None)

    @on(OptionList.OptionHighlighted)
    def _moved(self) -> None:
        self._say("")

    def _chosen(self) -> ProviderChoice | None:
        place = self.query_one("#provider", OptionList).highlighted
        return None if place is None else self._providers[place]

    def _value(self, id: str) -> str:
        return self.query_one(f"#{id}", Input).value

    def _say(self, text: str, field: str = "") -> None:
        self.query_one("#problem", Label).update(Content(clean(text)))
        if field:
            self.query_one(f"#{field}").focus()
