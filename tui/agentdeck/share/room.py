"""One share: who was invited, who is there, what they may do, and what becomes of what they want.

Pure. Every question is answered in two steps, because nothing counts before it is stored: a method that *judges*
raises `RefusedError` or returns a `Change`, its owner stores it, and `apply` makes it so. Owners serialise the two.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec

from agentdeck.protocol import viewers as v
from agentdeck.protocol.gateway import Grant
from agentdeck.share import tokens
from agentdeck.share.clock import Clock
from agentdeck.share.log import Draft, Item
from agentdeck.share.prompts import OWNER, Prompt, Prompts, cleaned
from agentdeck.share.refusal import RefusedError
from agentdeck.share.roles import may, rank

DUPLEX: Final = 64
"""People at once who may do more than watch."""

VIEWERS: Final = 1000
LISTED: Final = 100
"""People in the list that everybody gets."""

PENDING: Final = 8
"""Guests who wait for approval at once."""

_OWNERS: Final = "a prompt of the owner's"
"""What the owner queued is not seen before it is sent."""

_UNSEEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")


class Invite(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    role: str
    secret: str
    """The hash of the link's secret or of the code."""
    created: float
    expires_at: float
    max_uses: int
    uses: int = 0
    code: bool = False
    approve: bool = False
    revoked: bool = False
    own: bool = False
    """Made by sharing itself; sharing again shows it again."""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    role: str
    invite: str
    token: str
    csrf: str
    address: str
    joined: float
    pending: bool = False
    hands: bool = False
    gone: str = ""

    @property
    def words(self) -> str:
        return tokens.words(self.token)


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a share is, for as long as it lasts."""

    share: str
    epoch: str
    session: str
    provider_session: str
    role: str
    created: float
    expires_at: float


@dataclass(slots=True)
class Change:
    """What follows from something, to be stored before it is so."""

    drafts: list[Draft] = field(default_factory=list)
    people: list[Person] = field(default_factory=list)
    invites: list[Invite] = field(default_factory=list)
    prompt: Prompt | None = None

    def items(self) -> Iterator[Item]:
        for person in self.people:
            yield Item("person", person.id, msgspec.msgpack.encode(person))
        for invite in self.invites:
            yield Item("invite", invite.id, msgspec.msgpack.encode(invite))
        if self.prompt is not None:
            yield Item("prompt", self.prompt.id, msgspec.msgpack.encode(self.prompt))


class Room:
    def __init__(self, facts: Facts, now: Clock, items: Iterable[Item] = ()) -> None:
        self.facts = facts
        self.invites: dict[str, Invite] = {}
        self.people: dict[str, Person] = {}
        self.online: dict[str, int] = {}
        """Sockets by person."""
        self._now = now
        stored: list[Prompt] = []
        for item in items:
            if item.body is None:
                continue
            match item.kind:
                case "person":
                    self._keep(msgspec.msgpack.decode(item.body, type=Person))
                case "invite":
                    invite = msgspec.msgpack.decode(item.body, type=Invite)
                    self.invites[invite.id] = invite
                case "prompt":
                    stored.append(msgspec.msgpack.decode(item.body, type=Prompt))
        self.prompts = Prompts(sorted(stored, key=lambda prompt: prompt.at))

    @property
    def expired(self) -> bool:
        return self._now() >= self.facts.expires_at

    @property
    def here(self) -> list[Person]:
        """Everybody who may be here."""
        return [person for person in self.people.values() if not person.gone]

    def apply(self, change: Change) -> None:
        """Make a stored change so."""
        for invite in change.invites:
            self.invites[invite.id] = invite
        for person in change.people:
            self._keep(person)
            if person.gone:
                self.online.pop(person.id, None)
                self.prompts.removed(person.id)

    # ── coming in ──────────────────────────────────────────────────────────────────────────────

    def invite(
        self, name: str, role: str, secret: str, *, seconds: float, max_uses: int, code: bool, approve: bool, own: bool
    ) -> Change:
        """`name` is new, `secret` a hash. An invite never outlives its share."""
        if role not in v.GUEST_ROLES:
            raise RefusedError("FORBIDDEN", f"a link cannot carry the role {role!r}")
        now = self._now()
        life = min(seconds, tokens.CODE_LIFE) if code else seconds
        invite = Invite(
            id=name, role=role, secret=secret, created=now, code=code, approve=approve or code, own=own,
            expires_at=min(now + life, self.facts.expires_at), max_uses=1 if code else max(1, max_uses),
        )  # fmt: skip
        return Change(invites=[invite])

    def join(self, secret: str, name: str, address: str, token: str, csrf: str, *, code: bool = False) -> Change:
        """Let somebody in, or make them wait. Everything but the name is a hash or comes from the gateway."""
        invite = self.find_invite(secret, code=code)
        if invite is None or invite.revoked:
            raise RefusedError("NO_SUCH_SHARE")
        now = self._now()
        if self.expired or now >= invite.expires_at:
            raise RefusedError("EXPIRED")
        if invite.uses >= invite.max_uses:
            raise RefusedError("FULL", "the link has been used as often as it may be")
        here = self.here
        if len(here) >= VIEWERS or (invite.role != "observer" and sum(p.role != "observer" for p in here) >= DUPLEX):
            raise RefusedError("FULL", retry_after=30.0)
        if invite.approve and sum(person.pending for person in here) >= PENDING:
            raise RefusedError("FULL", "too many are waiting for approval", retry_after=30.0)
        person = Person(
            id=tokens.new_id("p"), name=self.free_name(name), role=invite.role, invite=invite.id, token=token,
            csrf=csrf, address=address, joined=now, pending=invite.approve,
        )  # fmt: skip
        used = msgspec.structs.replace(invite, uses=invite.uses + 1)
        change = Change(people=[person], invites=[used])
        if not person.pending and len(here) < LISTED:
            change.drafts.append(self._says(f"{person.name} joined as {person.role}", "joined", person.id))
        return change

    def find_invite(self, secret: str, *, code: bool) -> Invite | None:
        found = None
        for invite in self.invites.values():  # all of them, so that the time tells nothing
            if tokens.same(invite.secret, secret) and invite.code == code:
                found = invite
        return found

    def own_invite(self, *, code: bool, seconds: float = 0.0) -> Invite | None:
        """The newest one made by sharing itself that lets somebody in for at least so long."""
        good = [
            each for each in self.invites.values()
            if each.own and each.code == code and not each.revoked and each.uses < each.max_uses
            and each.expires_at > self._now() + seconds
        ]  # fmt: skip
        return max(good, key=lambda each: each.created, default=None)

    def free_name(self, wanted: str, but: str = "") -> str:
        """A name that can be shown anywhere and that nobody else here has."""
        name = " ".join(_UNSEEN.sub("", wanted).split())[:40] or "guest"
        taken = {person.name.casefold() for person in self.here if person.id != but} | {"owner"}
        return next(
            each
            for n in range(1, len(taken) + 2)
            if (each := name if n == 1 else f"{name} {n}").casefold() not in taken
        )

    # ── the owner's verbs ──────────────────────────────────────────────────────────────────────

    def admit(self, person: Person, *, on: bool, role: str = "") -> Change:
        if not on:
            return self.remove(person, "denied")
        let_in = msgspec.structs.replace(person, pending=False, role=role or person.role)
        return Change(
            people=[let_in], drafts=[self._says(f"{person.name} joined as {let_in.role}", "joined", person.id)]
        )

    def set_role(self, person: Person, role: str, *, hands: bool = False) -> Change:
        if role not in v.GUEST_ROLES:
            raise RefusedError("FORBIDDEN", f"nobody else can be {role}")
        changed = msgspec.structs.replace(person, role=role, hands=hands and role == "driver")
        return Change(people=[changed], drafts=[self._says(f"{person.name} is now {role}", "role", person.id)])

    def remove(self, person: Person, why: str) -> Change:
        gone = msgspec.structs.replace(person, gone=why, pending=False)
        drafts = [] if person.pending else [self._says(f"{person.name} was removed", "kicked", person.id)]
        return Change(people=[gone], drafts=drafts)

    def revoke(self, invite: str = "") -> Change:
        """Withdraw an invite, or all of them, with everybody who came by it."""
        withdrawn = [each for each in self.invites.values() if invite in ("", each.id) and not each.revoked]
        names = {each.id for each in withdrawn} | ({invite} if invite else set(self.invites))
        change = Change(invites=[msgspec.structs.replace(each, revoked=True) for each in withdrawn])
        for person in self.here:
            if person.invite in names:
                removal = self.remove(person, "revoked")
                change.people += removal.people
                change.drafts += removal.drafts
        return change

    # ── what people want ───────────────────────────────────────────────────────────────────────

    def judge(self, participant: str, kind: str, body: bytes, key: str) -> Change:
        """Decide about a message whose body is well formed. Raises `RefusedError`."""
        person = self.people.get(participant)
        if person is None or person.gone:
            raise RefusedError("REVOKED", ref=key)
        if self.expired:
            raise RefusedError("EXPIRED", ref=key)
        if person.pending:
            raise RefusedError("NOT_APPROVED", ref=key)
        if not may(person.role, kind, hands=person.hands):
            raise RefusedError("FORBIDDEN", f"a {person.role} may not send {kind}", ref=key)
        change = Change()
        match kind:
            case "chat":
                said = msgspec.json.decode(body, type=v.Chat)
                change.drafts.append(self._draft("chat", v.Chat(text=_shown(said.text, key)), person.id, key))
            case "command":
                change.prompt = self._prompt(person, msgspec.json.decode(body, type=v.Command).text, key)
                change.drafts.append(self._draft("command", v.Command(text=change.prompt.text), person.id, key))
            case "interrupt":
                change.drafts.append(self._draft("interrupt", v.Interrupt(), person.id, key))
            case "name":
                name = self.free_name(msgspec.json.decode(body, type=v.SetName).name, but=person.id)
                change.people.append(msgspec.structs.replace(person, name=name))
        return change

    def _prompt(self, person: Person, text: str, key: str) -> Prompt:
        ready = cleaned(text)
        if not ready:
            raise RefusedError("BAD_MESSAGE", "the prompt is empty", ref=key)
        self.prompts.check(person.id)
        name = f"{person.id}.{key}" if key else tokens.new_id("q")
        return Prompt(id=name, by=person.id, name=person.name, text=ready, at=self._now())

    # ── what everybody is told ─────────────────────────────────────────────────────────────────

    def presence(self) -> v.Presence:
        here = [person for person in self.here if not person.pending]
        here.sort(key=lambda p: (-rank(p.role), not self.online.get(p.id), p.joined))
        return v.Presence(
            participants=tuple(self._participant(person) for person in here[:LISTED]),
            viewers=sum(bool(self.online.get(p.id)) for p in here),
        )

    def _participant(self, person: Person) -> v.Participant:
        return v.Participant(
            id=person.id, name=person.name, role=person.role, online=bool(self.online.get(person.id)),
            joined=person.joined, hands=person.hands,
        )  # fmt: skip

    def queue(self, *, busy: bool, waits_for: str) -> v.Queue:
        return v.Queue(
            items=tuple(
                v.QueueItem(
                    id=p.id, by=p.by, name=p.name, text=_OWNERS if p.by == OWNER else p.text, state=p.state,
                    position=self.prompts.position(p.id), at=p.at,
                )
                for p in self.prompts.items
            ),
            paused=self.prompts.paused,
            busy=busy,
            waits_for=waits_for,
        )  # fmt: skip

    @staticmethod
    def grant(person: Person) -> Grant:
        return Grant(
            participant=person.id, name=person.name, role=person.role, token=person.token, csrf=person.csrf,
            hands=person.hands, pending=person.pending, words=person.words if person.pending else "",
        )  # fmt: skip

    def owner_says(self, text: str) -> Draft:
        """Raises `RefusedError` for nothing."""
        return self._draft("chat", v.Chat(text=_shown(text, "")[:4096]), "owner")

    def _says(self, text: str, about: str, participant: str = "") -> Draft:
        return self._draft("system", v.System(text=text, about=about, participant=participant), "session")

    def _draft(self, kind: str, body: msgspec.Struct, by: str, key: str = "") -> Draft:
        return Draft(kind, self._now(), by, msgspec.json.encode(body), key)

    def _keep(self, person: Person) -> None:
        self.people[person.id] = person


def _shown(text: str, key: str) -> str:
    shown = cleaned(text)
    if not shown:
        raise RefusedError("BAD_MESSAGE", "there is nothing to say", ref=key)
    return shown
