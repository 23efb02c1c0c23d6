"""What a command line runs, however it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentdeck.approvals.shell import MOST, commands


def programs(text: str) -> list[tuple[str, ...]]:
    return [command.words for command in commands(text)]


WRITTEN = [
    "rm -rf x",
    "  rm   -rf\tx",
    "'rm' -rf \"x\"",
    r"\rm -rf x",
    "r''m -rf x",
    "$'rm' -rf x",
    "$'\\x72m' -rf x",
    "/bin/rm -rf x",
    "FORCE=1 LC_ALL=C rm -rf x",
    "sudo rm -rf x",
    "sudo -u bob -- rm -rf x",
    "sudo -n env A=1 nice -n 10 rm -rf x",
    "timeout 5s rm -rf x",
    "time nohup rm -rf x &",
    "exec rm -rf x",
    "command rm -rf x",
    "echo a | xargs -0 -n 1 rm -rf x",
    "cd /tmp && rm -rf x",
    "true || rm -rf x; ls",
    "(cd y; rm -rf x)",
    "{ rm -rf x; }",
    "if true; then rm -rf x; fi",
    "for f in a b; do rm -rf x; done",
    "! rm -rf x",
    "bash -c 'rm -rf x'",
    'bash -lc "cd y && rm -rf x"',
    "sh -ec 'bash -c \"rm -rf x\"'",
    "eval 'rm -rf x'",
    "bash <<< 'rm -rf x'",
    "bash <<EOF\nrm -rf x\nEOF",
    "cat <<-'END' | sh\n\trm -rf x\n\tEND",
    "echo 'rm -rf x' | bash",
    "echo $(rm -rf x)",
    'echo "a $(rm -rf x) b"',
    "echo `rm -rf x`",
    "diff <(rm -rf x) y",
    "find . -name '*.o' -exec rm -rf x \\;",
    "ssh host rm -rf x",
    "ssh -p 22 host 'cd a; rm -rf x'",
    "docker run --rm -v a:b image sh -c 'rm -rf x'",
    "kubectl exec pod -- rm -rf x",
    "ls\nrm -rf x\n",
    "ls # a comment\nrm -rf x",
    "rm \\\n -rf x",
    "rm -rf x > /dev/null 2>&1",
    "2>/dev/null rm -rf x",
    "su bob -c 'rm -rf x'",
]


@pytest.mark.parametrize("text", WRITTEN)
def test_a_deletion_is_found_however_it_is_written(text: str) -> None:
    assert ("rm", "-rf", "x") in programs(text)


HARMLESS = [
    "echo rm -rf x",
    "echo 'rm -rf x'",
    "grep -r 'rm -rf x' .",
    "git commit -m 'rm -rf x; git push --force'",
    "ls # rm -rf x",
    "cat <<EOF > notes.txt\nrm -rf x\nEOF",
    "printf '%s' \"rm -rf x\"",
    "xargs -n 1 grep rm -rf",
    "cat file | grep 'bash -c rm -rf x'",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_words_about_a_deletion_are_no_deletion(text: str) -> None:
    assert all(words[:1] != ("rm",) for words in programs(text))


def test_files_that_a_command_is_redirected_to_are_named() -> None:
    (command,) = commands("sort < in.txt > out.txt 2>>err.txt")
    assert command.targets == ("in.txt", "out.txt", "err.txt")


@given(st.text(alphabet="ab rm-f'\"\\$(){}|&;<>`#\n=*", max_size=60))
def test_no_text_upsets_it(text: str) -> None:
    for command in commands(text):
        assert command.words or command.targets


@given(st.text(max_size=200))
def test_no_text_at_all_upsets_it(text: str) -> None:
    commands(text)


@pytest.mark.parametrize(
    "text",
    [
        "$(" * 20_000,
        "`" * 20_000,
        "(" * 20_000,
        "<<" * 20_000,
        "<<a " * 20_000,
        "<<<" * 20_000,
        "# \n" * 20_000,
        "\\\n" * 20_000,
        "ssh " * 5_000,
        "sudo -a " * 5_000,
        "bash -c " * 5_000,
        "find -exec " * 5_000,
        "eval '" * 5_000,
        "<(" * 20_000,
        "a;" * 50_000,
    ],
)
def test_a_command_line_without_end_is_given_up_on(text: str) -> None:
    assert len(commands(text)) <= MOST
