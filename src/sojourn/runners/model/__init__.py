"""The model runner: our own loop around one model request at a time."""
