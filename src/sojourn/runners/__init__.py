"""Ways to make a turn happen. Each gets a journal and nothing else of ours."""
