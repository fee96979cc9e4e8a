"""Istio's own kinds: what its ingress gateways do with a request, and its sidecars with a connection."""
