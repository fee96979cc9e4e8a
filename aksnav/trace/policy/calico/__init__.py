"""Calico's own policies: tiers, order, actions, and the expression language of their selectors."""
