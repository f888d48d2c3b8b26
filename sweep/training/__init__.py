"""How a fit trains: the backends, the models that they compile, and the identity of a model."""
