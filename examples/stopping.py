"""Early stopping, epochs looked at afterwards, and scikit-learn's own progress bar.

Run it: python examples/stopping.py (scikit-learn's bundled digits).
"""

# %% A network that stops by itself: a tenth of the rows it is given decides, no scoring row does.
from sklearn.callback import ProgressBar
from sklearn.model_selection import cross_val_score

from sweep import KerasMLPClassifier, load_dataset

digits = load_dataset("digits")
model = KerasMLPClassifier(
    hidden_size=64, scaling="unit", learning_rate=0.01, random_state=0,
    early_stopping=True, n_iter_no_change=3, epochs=100,
)  # fmt: skip
model.fit(digits.x_train, digits.y_train)
print(f"stopped after {model.n_epochs_} epochs, kept epoch {model.best_epoch_}")
print(f"test: {model.score(digits.x_test, digits.y_test):.4f}")

# %% The same model at earlier epochs, without fitting again.
curve = KerasMLPClassifier(
    hidden_size=64, scaling="unit", random_state=0, epochs=20, checkpoint_epochs=[1, 5, 10]
)
curve.set_callbacks(ProgressBar())
curve.fit(digits.x_train, digits.y_train)
for epoch in (1, 5, 10, 20):
    score = curve.at_epoch(epoch).score(digits.x_test, digits.y_test)
    print(f"after {epoch:2d} epochs: {score:.4f}")

# %% Cross-validated, as any estimator.
curve.set_callbacks()
print(f"cv: {cross_val_score(curve, digits.x_train, digits.y_train, cv=3).mean():.4f}")
