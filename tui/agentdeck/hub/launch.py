"""From what a client asked for to what a holder gets: program, arguments, environment, name.

Pure but for looking at the disk; everything that can be wrong with a request is found here, before anything starts.
"""

import os
import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agentdeck import providers as known_providers
from agentdeck.errors import MissingDirectoryError, SpawnError, UsageError
from agentdeck.hub.link import HolderSpec
from agentdeck.hub.records import Record
from agentdeck.protocol.messages import Spawn
from agentdeck.providers import Provider
from agentdeck.providers.base import Launch
from agentdeck.providers.environment import clean_environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    spec: HolderSpec
    provider: Provider
    name: str
    resume_id: str
    type_prompt: str
    """A first prompt that the provider cannot take on its command line: typed once it is ready."""


Arguments = Callable[[Provider, Sequence[str]], Sequence[str]]
"""What becomes of the person's arguments: the hub adds those that make a CLI ask it before tool calls."""


def as_given(provider: Provider, given: Sequence[str]) -> Sequence[str]:
    return given


def plan(
    request: Spawn, providers: Mapping[str, Provider], taken: Collection[str], arguments: Arguments = as_given
) -> Plan:
    """Plan a new session. `taken` are the names and ids in use.

    Raises `UnknownProviderError`, `MissingDirectoryError`, `SpawnError` when its program is not installed.
    """
    provider = known_providers.get(request.provider, providers)
    cwd = _directory(request.cwd)
    if any("\0" in part for part in (*request.args, *request.argv, request.prompt)):
        raise UsageError("an argument contains a NUL byte", hint="remove it")
    chosen = str(uuid.uuid4()) if provider.chooses_id and not request.resume else ""
    launch = Launch(
        prompt=request.prompt if provider.prompt_in_arguments else "",
        args=arguments(provider, request.args),
        session_id=chosen,
        resume_id=request.resume,
    )
    session = _new_id(taken)
    return Plan(
        spec=_spec(session, provider, launch, request.argv, cwd, request.env, request.cols, request.rows),
        provider=provider,
        name=_free_name(request.name or Path(cwd).name or provider.name, taken, given=bool(request.name)),
        resume_id="" if request.argv else request.resume or chosen,
        type_prompt="" if provider.prompt_in_arguments or request.argv else request.prompt,
    )


def again(
    record: Record, provider: Provider, *, resume_id: str, env: Mapping[str, str], arguments: Arguments = as_given
) -> tuple[HolderSpec, str]:
    """Plan the restart of a session: its conversation is resumed when its id is known.

    Returns the plan and the id of the conversation that it resumes or begins, empty if nobody knows.
    """
    info = record.session
    chosen = str(uuid.uuid4()) if provider.chooses_id and not resume_id and not record.argv else ""
    launch = Launch(args=arguments(provider, record.args), resume_id=resume_id, session_id=chosen)
    spec = _spec(info.id, provider, launch, record.argv, _directory(info.cwd), env, info.cols, info.rows)
    return spec, resume_id or chosen


def _spec(
    session: str,
    provider: Provider,
    launch: Launch,
    argv: tuple[str, ...],
    cwd: str,
    env: Mapping[str, str],
    cols: int,
    rows: int,
) -> HolderSpec:
    if not argv:
        program = known_providers.find_program(provider, env.get("PATH", os.defpath))
        if program is None:
            names = " or ".join(provider.programs)
            raise SpawnError(f"{provider.label} is not installed: no {names} on PATH", hint=provider.install or None)
        argv = (program, *provider.arguments(launch))
    return HolderSpec(
        id=session,
        argv=tuple(argv),
        cwd=cwd,
        env=clean_environment(env, provider, session),
        cols=max(2, cols),
        rows=max(2, rows),
        spare=provider.daemons,
    )


def _directory(path: str) -> str:
    if not Path(path).is_dir():
        raise MissingDirectoryError(path)
    return path


def _new_id(taken: Collection[str]) -> str:
    while (candidate := uuid.uuid4().hex[:8]) in taken or candidate.isdigit():
        pass
    return candidate


def _free_name(wanted: str, taken: Collection[str], *, given: bool) -> str:
    name, number = " ".join(wanted.split())[:60], 2
    if given and name in taken:
        raise UsageError(f"a session is already called {name!r}", hint="choose another --name")
    base = name
    while name in taken:
        name = f"{base}-{number}"
        number += 1
    return name
