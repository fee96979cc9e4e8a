"""The words of AKS networking: a paragraph each, and under which other names people ask for them.

Sources: Kubernetes documentation ("Services, Load Balancing, and Networking" and its pages), AKS documentation
("Networking concepts", "Azure CNI Overlay", "pod subnet", "legacy CNI", "ingress", "network policies").
"""

import re

import msgspec


class Word(msgspec.Struct, frozen=True, gc=False):
    """One word.

    Attributes:
        name: the term as the field writes it.
        text: what it is in AKS, one paragraph.
        source: where that is written.
        also: other ways to write it.
    """

    name: str
    text: str
    source: str
    also: tuple[str, ...] = ()


WORDS = (
    Word(
        "Kubernetes network model",
        "Every Pod has an address of its own, and every Pod and node can reach every Pod by that address without "
        "address translation between them, unless a network policy says otherwise. Services put one stable address in "
        "front of Pods that come and go; Ingress and Gateway put names and paths in front of Services. In AKS the "
        "network plugin provides the addresses, kube-proxy or Cilium the Services, and a policy engine the policies; "
        "where a packet leaves the nodes, Azure's routes and security groups judge it as well.",
        "Kubernetes documentation, Services, Load Balancing, and Networking",
        ("network model", "networking model", "model"),
    ),
    Word(
        "kubenet",
        "Nodes have addresses of the subnet; Pods have addresses of a range that only the cluster knows, one /24 for "
        "each node. A route table on the nodes' subnet has a route for each of these ranges with the node as next hop, "
        "which limits the cluster to 400 nodes, and a Pod that talks to anything outside does so with its node's "
        "address. A Pod cannot be reached from outside by its own address. It ends on 2028-03-31.",
        "AKS documentation, Use kubenet networking",
    ),
    Word(
        "Azure CNI Overlay",
        "Nodes have addresses of the subnet; Pods have addresses of a private range (the Pod CIDR), a /24 for each "
        "node, that is not part of the virtual network. Azure's network knows these addresses between the nodes, "
        "without encapsulation and without a route table, so the subnet's security group judges packets between Pods "
        "of different nodes too. Packets to the outside leave with the node's address. Nobody outside can reach a Pod "
        "by its own address: the ways in are Services and ingress.",
        "AKS documentation, Azure CNI Overlay networking",
        ("overlay", "cni overlay", "azure cni"),
    ),
    Word(
        "Azure CNI node subnet",
        "Pods have addresses of the same subnet as their nodes. Each node reserves as many as it may run Pods when it "
        "is made, 30 unless told otherwise: the subnet must hold (nodes + those of a surge) times (Pods a node + 1). "
        "Everything in the network can reach a Pod directly and sees its address; outside of the network the node's "
        "address is seen.",
        "AKS documentation, Azure CNI node subnet (legacy)",
        ("node subnet",),
    ),
    Word(
        "Azure CNI pod subnet",
        "Pods have addresses of a subnet of their own, which has its own security group, route table and NAT gateway. "
        "With dynamic allocation a node takes addresses in batches of 16, and asks for the next batch when fewer than "
        "8 are free; with static block allocation it takes blocks of 16 (/28) for as many Pods as it may run. Pods are "
        "reached directly from the network, and their address is always the one that is seen.",
        "AKS documentation, Azure CNI pod subnet networking",
        ("pod subnet", "dynamic allocation", "static block", "static block allocation"),
    ),
    Word(
        "virtual network",
        "The private network in Azure in which the nodes live: address spaces, subnets, peerings with other networks, "
        "DNS servers. AKS makes one in the node resource group, or takes a subnet of yours. Azure keeps five addresses "
        "of every subnet for itself.",
        "Azure documentation, Virtual Network; AKS documentation, Networking concepts",
        ("vnet", "subnet", "subnets"),
    ),
    Word(
        "network security group",
        "Rules by priority that allow or deny packets by source, destination, port and protocol; the first that fits "
        "decides, and answers of an allowed connection are allowed. One can sit on the subnet and one on the node's "
        "interface: a packet must pass both. AKS writes rules for Services of type LoadBalancer into the one on the "
        "interfaces only; what stands on a subnet is yours to open.",
        "Azure documentation, How network security groups filter network traffic",
        ("nsg", "security group"),
    ),
    Word(
        "route table",
        "Routes of yours on a subnet. The longest prefix decides; for the same prefix yours come before those learned "
        "by BGP, and those before Azure's own. The next hop may be an appliance, a gateway, the internet, the network, "
        "or nothing at all, which drops the packet.",
        "Azure documentation, Virtual network traffic routing",
        ("udr", "user-defined route", "route", "routes"),
    ),
    Word(
        "ClusterIP",
        "A Service with an address of the service CIDR. No interface has this address: each node translates it to the "
        "address of a ready Pod (kube-proxy's rules, or Cilium), so it works inside of the cluster only. It is the "
        "type that a Service has if it names none.",
        "Kubernetes documentation, Service",
        ("cluster ip",),
    ),
    Word(
        "NodePort",
        "A Service that answers on the same port of every node, from 30000 to 32767 unless configured otherwise, "
        "besides its ClusterIP. In AKS nodes have private addresses, so it is reached from the virtual network; a "
        "security group of yours must allow it. With externalTrafficPolicy Local only nodes with a ready Pod answer.",
        "Kubernetes documentation, Service",
        ("node port",),
    ),
    Word(
        "LoadBalancer",
        "A Service for which AKS makes a rule on an Azure load balancer: a public address, or one of the virtual "
        "network with the annotation service.beta.kubernetes.io/azure-load-balancer-internal. The load balancer "
        "sends packets to healthy nodes, by default with the frontend's address still in them (floating IP), and the "
        "node sends them on to a ready Pod. A probe tells which nodes are healthy: of the node with "
        "externalTrafficPolicy Cluster, of a local ready Pod with Local.",
        "AKS documentation, Use a public standard load balancer; Use an internal load balancer",
        ("load balancer", "lb", "public load balancer", "internal load balancer", "internal"),
    ),
    Word(
        "ExternalName",
        "A Service that is only a name: the cluster's DNS answers with an alias (CNAME) for the name in its spec. No "
        "packet passes through it, no port is translated, and the client's Host header and TLS name stay those of the "
        "Service unless the client changes them.",
        "Kubernetes documentation, Service",
        ("external name",),
    ),
    Word(
        "headless",
        "A Service with clusterIP None: the cluster's DNS answers with the addresses of its ready Pods themselves, and "
        "the client picks one. No port is translated: the client must use the Pod's own port.",
        "Kubernetes documentation, Service, Headless Services",
        ("headless service",),
    ),
    Word(
        "Ingress",
        "Rules by host name and path that lead to Services, and the certificates for these hosts. An Ingress does "
        "nothing by itself: the controller that its class names reads it. In AKS that is the application routing "
        "add-on (NGINX), an NGINX or another controller of your own, the Application Gateway Ingress Controller, or "
        "Application Gateway for Containers. TLS ends at the controller unless it is told to pass it through.",
        "Kubernetes documentation, Ingress; AKS documentation, Ingress in AKS",
        ("ingress controller", "ingress controllers", "virtual host", "tls termination"),
    ),
    Word(
        "Gateway",
        "The Gateway API: a GatewayClass says who serves it, a Gateway has listeners (port, protocol, host name, "
        "certificate), and routes (HTTPRoute, GRPCRoute, TLSRoute, TCPRoute) attach to listeners and lead to "
        "Services with weights and filters. A ReferenceGrant must allow what crosses namespaces. In AKS it is served "
        "by application routing on Istio, the Istio add-on, Application Gateway for Containers, or one of your own.",
        "Gateway API documentation; AKS documentation, Gateway API",
        ("gateway api", "httproute", "gateways"),
    ),
    Word(
        "network policy",
        "Rules that say which connections Pods accept and make, by the labels of Pods and namespaces or by address "
        "ranges, and by port. A Pod that no policy selects accepts and makes every connection; one that is selected "
        "only those that some rule of some policy allows, and both ends must agree. Without an engine that enforces "
        "them they do nothing. The engines of AKS are Cilium, Calico and Azure NPM, and they differ: Cilium's "
        "ipBlock never means Pods or nodes.",
        "Kubernetes documentation, Network Policies; AKS documentation, Secure traffic between Pods",
        ("network policies", "networkpolicy", "policy", "policies", "cilium", "calico", "npm", "azure npm"),
    ),
    Word(
        "outbound type",
        "How connections leave the cluster: through the load balancer's outbound rule, a NAT gateway, your own route "
        "table, or not at all. The first two share the SNAT ports of their public addresses among the nodes, and a "
        "node that has used up its ports cannot open connections to the same destination.",
        "AKS documentation, Customize cluster egress with outbound types",
        ("outbound", "egress", "snat", "nat gateway"),
    ),
    Word(
        "retirement",
        "Azure and the projects around it end features on announced days. aksnav names those that this cluster uses, "
        "with the date and the field that shows the use. They are risks, not faults.",
        "AKS documentation, retirement notices",
        ("retirements",),
    ),
    Word(
        "cluster",
        "An AKS cluster: a managed control plane, node pools in a virtual network, and a node resource group in which "
        "AKS keeps load balancers, addresses, the nodes' security group and, with kubenet, the route table.",
        "AKS documentation, Core concepts",
        ("aks", "this cluster"),
    ),
)


def find_word(asked: str) -> Word | None:
    """Return the word that somebody asked for, in any letter case, with or without spaces and dashes; else None."""
    key = _key(asked)
    for word in WORDS:
        if key in {_key(word.name), *map(_key, word.also)}:
            return word
    return None


def _key(text: str) -> str:
    return re.sub(r"[\s_-]+", "", text).lower()
