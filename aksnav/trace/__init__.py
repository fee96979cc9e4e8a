"""How a request travels: pure functions of the store and the packet, one module per stretch of road."""
