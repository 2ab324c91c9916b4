"""Other vendors' wire formats, each translated to the service layer and back by a folder of its own."""
