"""Other tools' results as studies of the ledger: read and checked, never executed."""
