"""Building blocks of the screen. They know nothing about Kubernetes or Azure."""
