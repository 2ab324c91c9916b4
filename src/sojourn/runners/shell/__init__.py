"""Commands of models, each in a sandbox of its own."""
