"""What is wrong: the catalogue of checks, and the sweep that asks them of every object."""
