"""Completion scripts: every command and every option of the parser is in them, and shells can read them."""

import shutil
import subprocess

import pytest

from aksnav.cli import main
from aksnav.cli.parser import COMMANDS, described

SHELLS = ("bash", "zsh", "fish")


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("shell", SHELLS)
def test_every_command_and_every_long_option_is_known_to_the_shell(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A new command needs no second list."""
    text = script(shell, capsys)
    assert {name for name, _, _ in described()} == set(COMMANDS)
    for name, _, actions in described():
        assert name in text
        for action in actions:
            for spelling in action.option_strings:
                assert (spelling.lstrip("-") if shell == "fish" else spelling) in text


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_that_is_there_can_read_its_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Quotes and brackets are closed."""
    text = script(shell, capsys)
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"{shell} is not installed")
    subprocess.run([path, "-n", "/dev/stdin"], input=text, text=True, check=True)


def test_bash_completes_the_values_of_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    """The scenarios of the demo and the outputs of a command are words that can be completed."""
    path = shutil.which("bash")
    if path is None:
        pytest.skip("bash is not installed")
    ask = 'COMP_WORDS=(aksnav check -o s); COMP_CWORD=3; _aksnav; echo "${COMPREPLY[@]}"'
    done = subprocess.run([path, "-c", f"{script('bash', capsys)}\n{ask}"], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["sarif"]


def test_an_unknown_shell_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """With what there is."""
    with pytest.raises(SystemExit) as left:
        main(["completion", "tcsh"])
    assert left.value.code == 2
    assert "bash" in capsys.readouterr().err


@pytest.mark.parametrize(("word", "hint"), [("nonsense", "aksnav --help"), ("https://x/", "aksnav trace https://x/")])
def test_a_word_that_is_no_command_is_named_with_what_to_do(
    word: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A target without its command is the likeliest slip."""
    with pytest.raises(SystemExit) as left:
        main([word])
    assert left.value.code == 2
    assert capsys.readouterr().err == f"aksnav: no such command: {word}; try {hint}\n"
