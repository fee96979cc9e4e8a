"""The stretch of road inside the cluster: names, nodes, Services, endpoints, Pods."""
