"""HTTP surfaces: the native API, one package per dialect, and the console."""
