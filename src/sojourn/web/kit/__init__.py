"""What every surface needs of HTTP, and nothing of any of them."""
