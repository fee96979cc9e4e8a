"""Where objects come from: clusters, Azure, captures and the demo. The only room that does I/O."""
