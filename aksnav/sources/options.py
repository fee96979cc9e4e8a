"""What is to be read: the options of a session, as the command line gives them and as the child process gets them."""

from enum import StrEnum

import msgspec


class ListMode(StrEnum):
    """How a Kubernetes kind is read whole: in pages of a list, or as the initial events of a watch (WatchList)."""

    PAGED = "paged"
    STREAMED = "streamed"


class Options(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Which sources a session reads, and how.

    Attributes:
        context: kubeconfig context; None for the current one.
        kubeconfig: path of a kubeconfig; None for KUBECONFIG or the default place.
        namespaces: the namespaces of ``-n``: what is read where a kind may not be read everywhere.
        all_namespaces: ``-A``: every namespace is shown; what is read does not depend on it.
        cluster: ARM id of the managed cluster; empty to find it by its server's name.
        no_azure: Azure Resource Manager is not asked.
        capture: a file or folder to read instead of any cluster.
        demo: scenario of the built-in cluster to show instead; None for no demo, empty for its default.
        assume_none: kinds of which a capture without them is taken to say that there are none.
        list_mode: how a kind is read whole.
    """

    context: str | None = None
    kubeconfig: str | None = None
    namespaces: tuple[str, ...] = ()
    all_namespaces: bool = False
    cluster: str = ""
    no_azure: bool = False
    capture: str | None = None
    demo: str | None = None
    assume_none: tuple[str, ...] = ()
    list_mode: ListMode = ListMode.PAGED

    @property
    def main_source(self) -> str:
        """Name of the source that everything else hangs on."""
        if self.demo is not None:
            return "demo"
        return "kubernetes" if self.capture is None else "capture"
