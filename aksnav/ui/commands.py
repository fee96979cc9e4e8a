"""What may stand behind a colon, and what it means. Words are k9s' where k9s has one."""

import msgspec

from aksnav.model.kinds import Kind, find_kind


class BadCommand(ValueError):  # noqa: N818 - it is a command that is bad
    """A command that is not known; the message is one line for people."""


class Command(msgspec.Struct, frozen=True):
    """A parsed command.

    Attributes:
        verb: kind, trace, who, ips, namespace, findings, health, about, explain, help, quit, contexts.
        argument: the rest of the line.
        kind: for the verb kind.
    """

    verb: str
    argument: str = ""
    kind: Kind | None = None


_VERBS = {
    "trace": "trace", "t": "trace", "ns": "namespace", "namespace": "namespace",
    "who": "who", "w": "who", "ips": "ips", "ip": "ips",
    "findings": "findings", "f": "findings", "health": "health", "a": "health",
    "help": "help", "h": "help", "?": "help",
    "q": "quit", "q!": "quit", "quit": "quit", "exit": "quit",
    "about": "about", "explain": "explain",
    "ctx": "contexts", "context": "contexts", "contexts": "contexts",
}  # fmt: skip

EXAMPLES = (
    (":svc :ing :po :no :eps :ns :ev", "every Service, Ingress, Pod, node, EndpointSlice, namespace, Event"),
    (":po NS  :po /REGEX  :po app=web", "any kind in one namespace, or filtered from the start"),
    (":np :cnp :ccnp :gnp", "network policies: Kubernetes', Cilium's, Calico's (:caliconp)"),
    (":gw :hr :gr :tlsr :tcpr :udpr", "Gateways and their routes; :gc classes, :rg grants, :btls, :lset"),
    (":igw :vs :dr :se :authz :pa", "Istio's kinds"),
    (":vnet :nsg :rt :lb", "Azure: networks, and rule by rule what decides on the open path"),
    (":nic :pip :nat :pe :pls :appgw", "Azure: interfaces, public addresses, NAT, private link, gateways"),
    (":trace https://HOST/PATH", "follow a request from the internet"),
    (":trace svc/NS/N:80 from pod/NS/N", "follow a request from a Pod"),
    (":who  :who svc/NS/NAME", "who can talk to the selected object, or to another one"),
    (":ips  :ips 10.224.0.7", "the address plan; who holds an address, who held it before"),
    (":findings  :health", "what f and a show"),
    (":ns NAME  :ns all", "one namespace, in every list; 0 shows all"),
    (":ctx", "which context this is"),
    (":about", "what this cluster is, each fact with its field"),
    (":explain overlay  :explain S02", "what a word or a check means; :explain lists them"),
    (":q", "leave"),
)


def kind_argument(kind: Kind, argument: str) -> tuple[str, str]:
    """Return the namespace and the filter that stand behind a kind, as k9s reads them; each empty where none is given.

    ``/REGEX`` is a filter, what has a ``=`` in it or begins with ``-l`` is a label selector, a word is a namespace.

    Raises:
        BadCommand: it is a namespace, and the kind's objects live in none.
    """
    if argument.startswith("/"):
        return "", argument[1:].strip()
    if argument.startswith(("!", "-l")):
        return "", argument
    if "=" in argument:
        return "", f"-l {argument}"
    if argument and not kind.namespaced:
        raise BadCommand(f"{kind.plural} are in no namespace: /{argument} filters")
    if " " in argument:
        raise BadCommand(f"not understood: {argument}; one namespace, /REGEX or KEY=VALUE")
    return argument, ""


def parse_command(line: str) -> Command:
    """Return what a line behind the colon means.

    Raises:
        BadCommand: the first word is neither a command nor a kind.
    """
    word, _, rest = line.strip().partition(" ")
    if not word:
        raise BadCommand("a command is missing: :svc, :trace URL, :help")
    verb = _VERBS.get(word.lower())
    if verb is not None:
        return Command(verb, rest.strip())
    kind = find_kind(word)
    if kind is None:
        raise BadCommand(f"no such command or kind: {word}; :help lists them")
    return Command("kind", rest.strip(), kind)
