"""How an answer is shared: text, JSON and Markdown, with foreign text made harmless."""
