"""Studies in other tools: what the ledger holds, written as TensorBoard, MLflow and others read it.

Nothing here is needed while a study runs: every screen is filled from the ledger.
"""
