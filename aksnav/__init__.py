"""aksnav: a terminal explorer of Azure Kubernetes Service networking, from the URL to the Pod."""

__version__ = "0.1.0"
