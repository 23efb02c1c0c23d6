"""Providers of the person's own, from the configuration file.

One with a built-in provider's name, or whose command runs a built-in provider's program, keeps that provider's
habits; any other command is a program of which nothing is known but what every terminal program can say.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import PurePath

from agentdeck.config import CustomProvider
from agentdeck.providers import shell
from agentdeck.providers.base import Launch, Provider


def from_config(name: str, settings: CustomProvider, builtin: Mapping[str, Provider]) -> Provider:
    base = builtin.get(name) if not settings.command else _like(settings.command, builtin)
    program, *leading = settings.command or ("",)
    if base is None:
        return Provider(
            name=name,
            label=settings.label or name,
            programs=(program or name,),
            arguments=_between((*leading, *settings.args), _plain),
            environment=dict(settings.env),
            interrupt=(b"\x03",),
            prompt_in_arguments=False,
        )
    return replace(
        base,
        name=name,
        kind=base.family,
        label=settings.label or (base.label if name == base.name else name),
        programs=(program,) if program else base.programs,
        common_names=() if program else base.common_names,
        arguments=_between((*leading, *settings.args), base.arguments),
        environment={**base.environment, **settings.env},
    )


def unknown(name: str) -> Provider:
    """Stand for a provider that the configuration no longer names: its running sessions are still ours."""
    return Provider(
        name=name,
        label=name,
        programs=(name,),
        arguments=_plain,
        interrupt=(b"\x03",),
        prompt_in_arguments=False,
        install=f"the configuration no longer has a provider called {name}",
    )


def _like(command: tuple[str, ...], builtin: Mapping[str, Provider]) -> Provider | None:
    """Return the built-in provider whose program the command runs itself. A wrapper around it may be anything."""
    program = PurePath(command[0]).name
    for provider in builtin.values():
        if provider.foreground:
            if shell.prompts(command):
                return provider
        elif program in provider.programs and program not in provider.common_names:
            return provider
    return None


def _plain(launch: Launch) -> list[str]:
    return list(launch.args)


def _between(leading: tuple[str, ...], rest: Callable[[Launch], list[str]]) -> Callable[[Launch], list[str]]:
    """Put the configured arguments between the program and what a session adds."""

    def arguments(launch: Launch) -> list[str]:
        return [*leading, *rest(launch)]

    return arguments
