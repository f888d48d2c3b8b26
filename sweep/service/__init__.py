"""``sweep serve``: pages and an API over a ledger, with workers of this machine."""
