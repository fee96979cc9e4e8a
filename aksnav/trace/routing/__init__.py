"""Who routes by host and path, what is common to all of them, and the ways into the cluster."""
