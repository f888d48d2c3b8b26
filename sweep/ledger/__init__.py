"""What a ledger means: studies, trials and results as plain records."""
