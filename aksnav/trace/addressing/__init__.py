"""Who holds which address, what is left of every range, and what growth will need: pure functions of the store."""
