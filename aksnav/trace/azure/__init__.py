"""The stretch of road that Azure decides: addresses, load balancers, security groups, routes, ways out."""
