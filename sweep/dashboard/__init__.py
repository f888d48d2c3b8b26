"""optuna-dashboard over the ledger: who may ask, what is served, and the server."""
