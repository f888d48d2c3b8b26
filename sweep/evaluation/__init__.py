"""Measure a candidate: cross-validation, pruning, the winner's refit, the test score."""
