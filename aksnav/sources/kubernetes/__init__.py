"""The Kubernetes API, read: discovery, lists and watches through the official client's configuration and transport."""
