"""``aksnav completion``: what a shell needs to complete commands, options and their values, made from the parser."""

import argparse
from collections.abc import Iterator
from typing import NamedTuple

from aksnav.cli import parser

FILES = frozenset({"FILE", "PATH", "F", "A", "B"})


class Option(NamedTuple):
    """An option or an argument of a command.

    Attributes:
        names: the spellings of an option; none for an argument.
        choices: the words that it takes, where they are known.
        files: whether it takes the name of a file.
        value: whether an option takes a value at all.
        about: one line.
    """

    names: tuple[str, ...]
    choices: tuple[str, ...]
    files: bool
    value: bool
    about: str


def run(args: argparse.Namespace) -> int:
    """Print the script for a shell."""
    makers = {"bash": bash, "zsh": zsh, "fish": fish}
    print("\n".join(makers[args.shell](commands())))
    return 0


def commands() -> dict[str, tuple[str, list[Option]]]:
    """Return every command with its line of help and its options."""
    return {
        name: (about.replace("'", ""), [_option(action) for action in actions])
        for name, about, actions in parser.described()
    }


def _option(action: argparse.Action) -> Option:
    from aksnav.sources.demo import SCENARIOS

    choices = tuple(SCENARIOS) if action.dest == "demo" else tuple(map(str, action.choices or ()))
    return Option(
        names=tuple(action.option_strings),
        choices=choices,
        files=action.metavar in FILES,
        value=action.nargs != 0,
        about=(action.help or "").replace("'", ""),
    )


def bash(known: dict[str, tuple[str, list[Option]]]) -> Iterator[str]:
    """Yield the script for bash."""
    yield "_aksnav() {"
    yield '    local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" command="${COMP_WORDS[1]}"'
    yield "    COMPREPLY=()"
    yield '    if [ "$COMP_CWORD" -eq 1 ]; then'
    yield f'        COMPREPLY=($(compgen -W "{" ".join(known)} --version --help" -- "$word")); return'
    yield "    fi"
    yield '    case "$command $before" in'
    for name, (_, options) in known.items():
        for option in options:
            does = f'-W "{" ".join(option.choices)}"' if option.choices else "-f" if option.files else ""
            if option.names and option.value and does:
                pattern = "|".join(f'"{name} {spelling}"' for spelling in option.names)
                yield f'        {pattern}) COMPREPLY=($(compgen {does} -- "$word")); return;;'
    yield "    esac"
    yield '    case "$command" in'
    for name, (_, options) in known.items():
        words = [spelling for option in options for spelling in (option.names or option.choices)]
        files = any(option.files for option in options if not option.names)
        yield f'        {name}) COMPREPLY=($(compgen {"-f " if files else ""}-W "{" ".join(words)}" -- "$word"));;'
    yield "    esac"
    yield "}"
    yield "complete -o bashdefault -F _aksnav aksnav"


def zsh(known: dict[str, tuple[str, list[Option]]]) -> Iterator[str]:
    """Yield the script for zsh."""
    yield "#compdef aksnav"
    yield "_aksnav() {"
    yield "    if (( CURRENT == 2 )); then"
    yield "        local -a commands=("
    for name, (about, _) in known.items():
        yield f"            '{name}:{_zsh(about)}'"
    yield "        )"
    yield "        _describe command commands; return"
    yield "    fi"
    yield '    local command="$words[2]"'
    yield "    shift words; (( CURRENT-- ))"
    yield '    case "$command" in'
    for name, (_, options) in known.items():
        specs = " ".join(spec for number, option in enumerate(options) for spec in _zsh_specs(option, number))
        yield f"        {name}) _arguments {specs};;"
    yield "    esac"
    yield "}"
    yield 'if [ "$funcstack[1]" = _aksnav ]; then _aksnav "$@"; else compdef _aksnav aksnav; fi'


def _zsh_specs(option: Option, number: int) -> Iterator[str]:
    does = f"({' '.join(option.choices)})" if option.choices else "_files" if option.files else " "
    if not option.names:
        yield f"'::{_zsh(option.about) or f'argument {number}'}:{does}'"
    for spelling in option.names:
        yield f"'{spelling}[{_zsh(option.about)}]" + (f":value:{does}'" if option.value else "'")


def _zsh(text: str) -> str:
    return text.replace("[", "(").replace("]", ")").replace(":", " ")


def fish(known: dict[str, tuple[str, list[Option]]]) -> Iterator[str]:
    """Yield the script for fish."""
    yield "complete -c aksnav -f"
    for name, (about, options) in known.items():
        yield f"complete -c aksnav -n __fish_use_subcommand -a {name} -d '{about}'"
        for option in options:
            words = "".join(
                f" -l {spelling[2:]}" if spelling.startswith("--") else f" -s {spelling[1:]}"
                for spelling in option.names
            )
            takes = " -r" if option.names and option.value else ""
            given = f" -a '{' '.join(option.choices)}'" if option.choices else " -F" if option.files else ""
            if words or given:
                when = f"-n '__fish_seen_subcommand_from {name}'"
                yield f"complete -c aksnav {when}{words}{takes}{given} -d '{option.about}'"
