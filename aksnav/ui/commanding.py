"""What the commands behind ``:`` do; one that is understood opens its screen over the panes, whatever was open."""

from collections.abc import Callable
from typing import Any, Protocol

from textual.geometry import Size
from textual.screen import Screen

from aksnav.model.kinds import Kind
from aksnav.trace import parse_request
from aksnav.trace.policy.subject import parse_subject
from aksnav.trace.request import BadRequest
from aksnav.trace.step import Trace
from aksnav.ui.about import about_lines, explain_lines
from aksnav.ui.commands import BadCommand, Command, kind_argument, parse_command
from aksnav.ui.panes.azure_parts import PARTS
from aksnav.ui.panes.kinds import KindPane
from aksnav.ui.panes.pane import Pane
from aksnav.ui.panes.services import ServiceList
from aksnav.ui.screens.protocol import Desk
from aksnav.ui.screens.table import TableScreen
from aksnav.ui.screens.who import WhoScreen
from aksnav.ui.search import BadFilter, parse_filter
from aksnav.ui.text import Line

ALL = frozenset({"all", "0", "-"})
"""Words for every namespace; k9s' own are ``all`` and ``-``."""


class Shell(Desk, Protocol):
    """The application as commands see it."""

    @property
    def size(self) -> Size:
        """Cells of the terminal."""

    def open_path(self) -> Callable[[], Trace | None]:
        """Return what answers with the path that is open now: of the trace screen opened last, or of the panes."""

    def afresh(self) -> None:
        """Close every screen but the panes."""

    def show_screen(self, screen: Screen[None]) -> None:
        """Open a screen over the one that is shown."""

    def show_lines(self, title: str, lines: Callable[[], list[Line]]) -> None:
        """Open a screen of lines that are asked for again as the store changes."""

    def action_who(self) -> None:
        """Show who can talk to the object that is selected."""

    def action_findings(self) -> None:
        """Show what is wrong."""

    def action_health(self) -> None:
        """Show age and health of every source."""

    def action_namespaces(self) -> None:
        """Choose a namespace."""

    def action_help(self) -> None:
        """Show keys and commands."""

    def action_quit_now(self) -> None:
        """Leave."""


class Commander:
    """Runs commands."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def run(self, line: str) -> None:
        """Run what was typed behind the colon; what is wrong with it is told in one line, and nothing is closed."""
        try:
            self._run(parse_command(line))
        except (BadCommand, BadFilter, BadRequest) as error:
            self._shell.tell(str(error), bad=True)

    def _run(self, command: Command) -> None:
        shell = self._shell
        plainly: dict[str, Callable[[], None]] = {
            "findings": self._after_all(shell.action_findings),
            "health": self._after_all(shell.action_health),
            "about": self._after_all(self._about),
            "help": shell.action_help,
            "quit": shell.action_quit_now,
            "contexts": self._contexts,
        }
        argued: dict[str, Callable[[str], None]] = {
            "trace": self._trace,
            "namespace": self._namespace,
            "who": self._who,
            "ips": self._ips,
            "explain": self._explain,
        }
        if command.kind is not None:
            self._kind(command.kind, command.argument)
        elif command.verb in plainly:
            plainly[command.verb]()
        else:
            argued[command.verb](command.argument)

    def _after_all(self, action: Callable[[], None]) -> Callable[[], None]:
        def act() -> None:
            self._shell.afresh()
            action()

        return act

    def _kind(self, kind: Kind, argument: str) -> None:
        """Open the list of a kind: ``:po``, ``:po NAMESPACE``, ``:po /REGEX``, ``:po app=web``, as k9s does."""
        shell = self._shell
        namespace, filter_text = kind_argument(kind, argument)
        parse_filter(filter_text)
        if namespace:
            self._restrict(namespace)
        parts = PARTS.get(kind.name)
        path = shell.open_path()
        pane: Pane[Any]
        if parts is not None:
            pane = parts(shell.store, path)
        else:
            pane = ServiceList(shell.store) if kind.name == "Service" else KindPane(shell.store, kind)
        shell.afresh()
        shell.show_screen(TableScreen(shell, pane, filter_text=filter_text))

    def _trace(self, argument: str) -> None:
        target, _, source = argument.partition(" from ")
        request = parse_request(target.strip(), source=source.strip() or "internet")
        self._shell.afresh()
        self._shell.open_trace(request)

    def _namespace(self, name: str) -> None:
        if name:
            self._restrict(name)
        else:
            self._shell.action_namespaces()

    def _restrict(self, name: str) -> None:
        """Show one namespace.

        Raises:
            BadCommand: it is known that there is none of this name.
        """
        shell = self._shell
        table = shell.store.tables["Namespace"]
        if name in ALL:
            shell.restrict("")
        elif table.access().complete and table.get(name) is None:
            raise BadCommand(f"there is no namespace {name}; n lists them")
        else:
            shell.restrict(name)

    def _who(self, argument: str) -> None:
        shell = self._shell
        if not argument:
            shell.action_who()
            return
        subject = parse_subject(shell.store, argument)
        shell.afresh()
        shell.show_screen(WhoScreen(shell, shell.store, subject))

    def _ips(self, address: str) -> None:
        """Open the address plan, or the answer to an address, and keep it current."""
        from aksnav.ui.ips import ips_lines

        shell = self._shell
        ips_lines(shell.store, address, shell.size.width)  # what is no address is refused before anything is closed
        shell.afresh()
        title = f"Addresses {address}".strip()
        shell.show_lines(title, lambda: ips_lines(shell.store, address, shell.size.width))

    def _about(self) -> None:
        shell = self._shell
        shell.show_lines("This cluster", lambda: about_lines(shell.store, shell.now()))

    def _explain(self, asked: str) -> None:
        """Say what a word or a check id means, and how this cluster does it."""
        shell = self._shell
        if not explain_lines(asked, shell.store, shell.now()):
            raise BadCommand(f"nothing is known of {asked}; :explain lists what can be explained")
        shell.afresh()
        title = f"Explain {asked}".strip()
        shell.show_lines(title, lambda: explain_lines(asked, shell.store, shell.now()))

    def _contexts(self) -> None:
        known = {state.facts.get("context", "") for state in self._shell.store.sources.values()} - {""}
        here = f"this is {', '.join(sorted(known))}; " if known else ""
        self._shell.tell(f"{here}contexts are chosen at the start: aksnav --context NAME")
