"""Measure a candidate: cross-validation, pruning on the way, the winner's refit, the test score."""
