"""The run's side of the workers: start them, follow them, replace the dead."""
