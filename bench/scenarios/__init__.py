"""One module a question; each answers with `Findings`."""
