"""The fast fit: one compiled model for each architecture, a whole epoch in one graph."""
