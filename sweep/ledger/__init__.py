"""The ledger: an Optuna storage in, plain records out; where the two arms meet."""
