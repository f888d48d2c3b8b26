"""optuna-dashboard for the ledger: access control, the pages, and the server."""
