"""Ingress, as its specification and each controller read it."""
