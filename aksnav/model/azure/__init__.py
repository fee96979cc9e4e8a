"""Azure objects as Azure Resource Manager describes them, with ``properties`` lifted into the resource."""
