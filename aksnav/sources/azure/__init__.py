"""Azure Resource Manager: which managed cluster a context means, and the network around it, read with GET alone."""
