"""An image model in a scikit-learn pipeline, searched by scikit-learn's own GridSearchCV.

Run it: python examples/pipeline.py (scikit-learn's bundled digits).
"""

# %% The data: 8x8 handwritten digits, as flat rows, the way most tables come.
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from sweep import KerasCNNClassifier, load_dataset

digits = load_dataset("digits")
X, y = digits.x_train.reshape(len(digits.x_train), -1), digits.y_train
X_test, y_test = digits.x_test.reshape(len(digits.x_test), -1), digits.y_test

# %% A pipeline: scale, then a convolutional network that sees each row as an 8x8 image.
cnn = KerasCNNClassifier(image_shape=(8, 8), epochs=6, learning_rate=0.01, random_state=0)
pipeline = make_pipeline(MinMaxScaler(), cnn)

# %% The search: names as anywhere in scikit-learn.
search = GridSearchCV(
    pipeline,
    {"kerascnnclassifier__filters": [4, 16], "kerascnnclassifier__kernel_size": [3, 5]},
    cv=3,
)
search.fit(X, y)
print("best:", search.best_params_, f"{search.best_score_:.4f}")
print(f"test: {search.score(X_test, y_test):.4f}")
