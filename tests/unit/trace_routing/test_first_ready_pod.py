"""The Pod from which internal Services are asked is the first ready one, however the Pods have changed meanwhile."""

import random

from aksnav.model.change import Removed, Upserted
from aksnav.model.kubernetes.workload import Pod, PodTemplate
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace.request import Origin, Request, Source
from aksnav.trace.routing.types import EntryPoint
from aksnav.trace.routing.viewpoint import seen_from

_POINT = EntryPoint(
    text="http://shop/web",
    request=Request(text="http://shop/web", service="shop/web", source=Source(Origin.INTERNET)),
    via=Ref("Service", "shop/web"),
    field=".spec.ports[0]",
    internal=True,
)


def test_the_first_ready_pod_is_what_a_look_at_all_pods_gives() -> None:
    """Pods come, go, turn ready and not ready, one and several at a time, on the node's network and off it."""
    chance = random.Random(7)  # noqa: S311 - a sequence that repeats
    store = Store()
    on_node = PodTemplate.of(host_network=True)
    for _ in range(400):
        names = [f"p{chance.randrange(30):02d}" for _ in range(chance.randrange(1, 4))]
        if chance.random() < 0.3:
            store.apply(Removed("Pod", [f"shop/{name}" for name in names]))
        else:
            pods = [Pod(name=name, namespace="shop", ready=chance.random() < 0.5) for name in names]
            for pod in pods:
                pod.template = on_node if chance.random() < 0.2 else pod.template
            store.apply(Upserted("Pod", list(pods)))
        if chance.random() < 0.5:
            ready = [pod.id for pod in store.pods if pod.ready and not pod.template.host_network]
            asked = seen_from(store, _POINT).source
            assert (asked.id if asked.origin is Origin.POD else "") == min(ready, default="")
