"""Kubernetes objects, one module per field of networking; ``decode`` turns wire bytes into them."""
