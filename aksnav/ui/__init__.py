"""How it looks: the Textual application. Textual and Rich are imported in this room alone."""
