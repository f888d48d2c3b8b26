"""Decide what to try: the plan, samplers, pruners, constraints, splits and outer folds."""
