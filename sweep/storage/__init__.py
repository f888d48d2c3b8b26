"""SQL and Optuna's storage: open a database, read and write rows, wait, lock, migrate."""
