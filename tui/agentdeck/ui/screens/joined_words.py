"""What a joined session has to say, in the deck's own terms; and the words that its line understands. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from agentdeck.join.room import Room
from agentdeck.protocol import messages as m
from agentdeck.protocol import viewers as v
from agentdeck.protocol.facts import Facts, FeedLine, Gauge
from agentdeck.ui.amounts import dollars, moment, tokens
from agentdeck.ui.figures import count, duration
from agentdeck.ui.widgets.chat import Word
from agentdeck.ui.widgets.guest_queue import Prompt, open_prompts, waiting_words
from agentdeck.ui.widgets.people import Person

COMMANDS: Final = {
    "/who": "who is here",
    "/status": "how the session is: tokens, cost, health, files",
    "/prompt TEXT": "queue a prompt for the agent (drivers)",
    "/queue": "the prompts that wait",
    "/invite": "how others get in",
    "/cancel N": "take back the prompt at place N",
    "/interrupt": "end the agent's turn; the queue pauses (drivers)",
    "/resume": "let the queue go on (drivers)",
    "/name NAME": "call yourself something else",
    "/leave": "leave; the session goes on",
}


ALIASES: Final = {
    "quit": "leave", "exit": "leave", "?": "help", "people": "who", "participants": "who", "p": "prompt",
    "nick": "name",
}  # fmt: skip

RIGHTS: Final = {
    "chat": "chat", "command": "queue prompts", "interrupt": "interrupt", "keys": "press keys",
}  # fmt: skip
"""Kind of message → what somebody does who may send it."""
SHELL: Final = "shell"


@dataclass(frozen=True, slots=True)
class Order:
    """What a line means: `verb` is chat, prompt, or a word of `COMMANDS` without its slash."""

    verb: str
    rest: str = ""


def read(line: str, *, prompt: bool) -> Order:
    """Read a line that was typed; a verb that is not known is `?`."""
    text = line.strip()
    if not text.startswith("/") or text.startswith("//"):
        return Order("prompt" if prompt else "chat", text.removeprefix("/") if text.startswith("//") else text)
    word, _, rest = text[1:].partition(" ")
    verb = ALIASES.get(word, word)
    known = {name[1:].split()[0] for name in COMMANDS} | {"help"}
    return Order(verb, rest.strip()) if verb in known else Order("?", word)


def session_of(room: Room) -> m.Session:
    """The shared session, as the rule above its pane wants it."""
    return m.Session(
        id=room.share, name=room.session or room.share, provider=room.provider or "?", cwd="", argv=(), pid=0,
        state=room.status.state if room.status.state in m.STATES else "unknown", why=room.status.why,
        since=room.status.since, started=room.data.started,
    )  # fmt: skip


def facts_of(room: Room) -> Facts:
    data = room.data
    gauge = None
    if data.context_used is not None and data.context_window:
        pct = data.context_pct if data.context_pct is not None else 100 * data.context_used // data.context_window
        gauge = Gauge(used=data.context_used, window=data.context_window, used_pct=pct)
    return Facts(
        key=room.share, provider=room.provider, provider_session="", model=data.model, tokens=data.tokens, gauge=gauge,
        cost_usd=data.cost_usd, unpriced=data.unpriced, burn_usd_hour=data.burn_usd_hour, messages=data.messages,
        tools=data.tools, errors=data.errors, agents=data.agents, files=data.files, added=data.added,
        removed=data.removed, doing=data.doing, doing_since=data.doing_since, started=data.started, title=data.title,
    )  # fmt: skip


def feed_of(room: Room) -> tuple[FeedLine, ...]:
    return tuple(
        FeedLine(
            n=line.n, at=line.at, kind=line.kind, title=line.title, text=line.text, status=line.status,
            seconds=line.seconds, tokens=line.tokens, agent=line.agent, added=line.added, removed=line.removed,
        )
        for line in room.feed
    )  # fmt: skip


def people_of(room: Room, now: float) -> tuple[Person, ...]:
    types = {who for who, until in room.typing.items() if until > now}
    here = [
        Person(p.id, p.name, p.role, p.online, me=p.id == room.me, hands=p.hands, typing=p.id in types)
        for p in room.presence.participants
    ]
    return tuple(sorted(here, key=lambda p: (not p.me, not p.online)))


def talk_of(room: Room) -> tuple[Word, ...]:
    return tuple(
        Word(said.at, said.kind, "you" if said.by == room.me and said.by else said.name or said.by, said.text)
        for said in room.talk
    )


def prompts_of(room: Room) -> tuple[Prompt, ...]:
    return tuple(
        Prompt(i.id, "you" if i.by == room.me else i.name, i.text, i.state, i.position) for i in room.queue.items
    )


def who_lines(room: Room, now: float) -> Iterator[str]:
    for person in people_of(room, now):
        marks = [
            w for w, on in (("you", person.me), ("has the keyboard", person.hands), ("types", person.typing)) if on
        ]
        marks += [] if person.online else ["away"]
        yield f"{person.name}: {person.role}{' (' + ', '.join(marks) + ')' if marks else ''}"
    more = room.viewers - sum(person.online for person in room.presence.participants)
    if more > 0:
        yield f"and {count(more, 'viewer', 'viewers')} more"


def invite_lines(room: Room, now: float) -> Iterator[str]:
    """Who lets people in, and what somebody who was let in may do."""
    yield f"only the owner of {room.session} invites: ask for a link, or for a code to type"
    may = [does for kind, does in RIGHTS.items() if room.may(kind)]
    yield f"as {room.role} you {', '.join(['watch', *may])}; the owner can change that"
    yield f"the share ends at {until(room, now)}"


def queue_lines(room: Room) -> Iterator[str]:
    for prompt in open_prompts(prompts_of(room)):
        place = f"{prompt.position}" if prompt.state == "queued" else prompt.state
        yield f"{place} {prompt.name}: {' '.join(prompt.text.split())}"
    if not room.queue.items:
        yield "no prompts"
    if room.queue.paused:
        yield "the queue is paused" + (": /resume lets it go on" if room.may("resume") else "")
    elif words := waiting_words(room.queue.waits_for):
        yield f"the next one {words}"


def has_figures(room: Room) -> bool:
    """Whether there is anything to say of tokens, cost and health; a shell has none of them."""
    return room.provider != SHELL or room.data.tokens is not None or room.health is not None


def has_events(room: Room) -> bool:
    return room.provider != SHELL or bool(room.feed)


def no_events(room: Room) -> str:
    """Why there is none yet."""
    return (
        "a shell tells no events: it has only its screen"
        if room.provider == SHELL
        else "its agent has done nothing yet"
    )


def status_lines(room: Room, now: float) -> Iterator[str]:
    data = room.data
    since = f" for {duration(now - room.status.since)}" if room.status.since else ""
    yield f"{room.session} is {room.status.state.replace('_', ' ')}{since}"
    yield f"tokens {tokens(data.tokens) if data.tokens is not None else '?'}, cost {cost_of(data)}"
    if room.health is not None:
        factors = ", ".join(f"{name} {round(value * 100)}" for name, value in sorted(room.health.factors.items()))
        yield f"health {room.health.score} ({room.health.status}){': ' + factors if factors else ''}"
    if room.files.files:
        newest = ", ".join(file.path for file in room.files.files[-3:])
        yield f"{count(data.files, 'file', 'files')} +{data.added} -{data.removed}, last {newest}"
    yield f"{count(room.viewers, 'viewer', 'viewers')}; you are {room.role}; shared until {until(room, now)}"


def cost_of(data: v.DataUpdate) -> str:
    if data.cost_usd is None:
        return "?"
    return f"{dollars(data.cost_usd)}{' and unpriced tokens' if data.unpriced else ''}"


def until(room: Room, now: float) -> str:
    return moment(room.expires_at, now) if room.expires_at else "?"
