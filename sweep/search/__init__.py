"""From a study file to cells of work, and from a cell to its scores."""
