"""The linked panes of the explorer: each shows one stretch of the road and knows which rows belong to a selection."""
