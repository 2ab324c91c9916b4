"""The synchronous client, made from the asynchronous one, so that the two cannot grow apart."""
