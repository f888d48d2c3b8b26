"""A sweep server from the command line and from Python: hand in, watch, read what it found."""
