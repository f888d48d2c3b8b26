"""Helpers for every room: files, passwords, the user's own code, loading of TensorFlow."""
