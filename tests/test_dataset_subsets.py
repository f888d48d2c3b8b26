"""Datasets in part: subsets of rows, one class against the rest, scaling."""

from __future__ import annotations

import numpy as np
import pytest
from dataset_files import arrays, fake_keras, no_downloads, npz_files, paint, refused  # noqa: F401
from hypothesis import given
from hypothesis import strategies as st

from sweep.datasets import load_dataset
from sweep.datasets.sampling import split_test, stratified_rows


class TestSubsets:
    def test_first_rows(self, npz):
        """``train_rows`` and ``test_rows`` are the first in file order."""
        data = load_dataset(npz(), train_rows=7, test_rows=4)
        assert (data.x_train == arrays()["x_train"][:7]).all()
        assert (data.x_test == arrays()["x_test"][:4]).all()

    def test_names_of_lost_classes_go(self, npz):
        """A class that the subset lost is named no more."""
        path = npz(y_train=np.repeat([0, 1, 2], 10), class_names=np.array(["a", "b", "c"]))
        data = load_dataset(path, train_rows=20, test_rows=2)
        assert data.class_names == ("a", "b")

    def test_stratified(self, npz):
        """A stratified sample is proportionate and in file order."""
        y = np.repeat([0, 1, 2], [18, 9, 3])
        x = np.arange(30)[:, None]
        options = {"train_rows": 10, "sample": "stratified"}
        data = load_dataset(npz(y_train=y, x_train=x, x_test=x[:12]), **options)
        assert data.class_counts == (6, 3, 1)
        assert (np.diff(data.x_train[:, 0]) > 0).all()

    def test_stratified_is_seeded(self, npz):
        """The seed alone decides which rows."""
        path, options = npz(), {"train_rows": 12, "sample": "stratified"}
        prints = [load_dataset(path, seed=s, **options).fingerprint for s in (0, 0, 1)]
        assert prints[0] == prints[1] != prints[2]

    @given(
        counts=st.lists(st.integers(1, 40), min_size=2, max_size=6),
        part=st.floats(0, 1),
        seed=st.integers(0, 5),
    )
    def test_stratified_keeps_every_class(self, counts, part, seed):
        """Any number of rows: as many as asked, distinct, each class at least once."""
        y = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
        n = len(counts) + round(part * (len(y) - len(counts)))
        rows = stratified_rows(y, n, np.random.default_rng(seed))
        assert len(rows) == len(set(rows.tolist())) == n
        assert len(np.unique(y[rows])) == len(counts)
        assert (np.diff(rows) > 0).all()

    @given(
        counts=st.lists(st.integers(2, 40), min_size=2, max_size=6),
        fraction=st.floats(0.01, 0.99),
    )
    def test_a_split_has_every_class_on_both_sides(self, counts, fraction):
        """Any test fraction leaves a row of each class to train and one to test on."""
        y = np.repeat(np.arange(len(counts)), counts)
        train, test = split_test(y, fraction, seed=0)
        assert sorted([*train, *test]) == list(range(len(y)))
        assert len(np.unique(y[train])) == len(np.unique(y[test])) == len(counts)

    @pytest.mark.parametrize("key", ["train_rows", "test_rows"])
    def test_more_rows_than_there_are(self, npz, key):
        """The error says both numbers."""
        there = {"train_rows": 30, "test_rows": 12}[key]
        refused(f"{key}: there are {there} rows, got 99", npz(), **{key: 99})

    @pytest.mark.parametrize("rows", [0, -3, 2.5, True])
    def test_rows_that_are_no_number_of_rows(self, npz, rows):
        """Only whole numbers from 1 on."""
        refused("train_rows: must be a whole number of at least 1", npz(), train_rows=rows)

    def test_stratified_sample_too_small(self, npz):
        """Fewer rows than classes cannot be stratified."""
        options = {"train_rows": 2, "sample": "stratified"}
        refused("a row of each of the 3 classes, got 2", npz(), **options)

    def test_subset_that_loses_a_test_class(self, npz):
        """Test labels that the subset no longer trains on are refused, with the way out."""
        path = npz(y_train=np.repeat([0, 1, 2], 10))
        refused(
            r'got 2 in y_test only; ask for more rows or use sample = "strat', path, train_rows=15
        )

    def test_subset_with_one_class(self, npz):
        """A subset of one class cannot be learned."""
        path = npz(y_train=np.repeat([0, 1, 2], 10))
        refused("at least two classes, got only 0", path, train_rows=5)

    @pytest.mark.parametrize(
        ("key", "allowed"),
        [("sample", "first, stratified"), ("scaling", "none, standardize, unit")],
    )
    def test_unknown_words(self, npz, key, allowed):
        """An unknown word is answered with the allowed ones."""
        refused(f"{key}: must be one of {allowed}, got 'x'", npz(), **{key: "x"})


class TestOneAgainstRest:
    def test_labels_and_names(self, npz):
        """The class becomes 1, all others 0, and both have names."""
        data = load_dataset(npz(class_names=np.array(["cat", "dog", "ox"])), one_vs_rest="dog")
        assert data.y_train.tolist() == [0, 1, 0] * 10
        assert data.y_test.tolist() == [0, 1, 0] * 4
        assert data.class_names == ("not dog", "dog")

    @pytest.mark.parametrize("one", [1, "1", "dog"])
    def test_by_label_or_name(self, npz, one):
        """A class is found by its label or its name."""
        path = npz(class_names=np.array(["cat", "dog", "ox"]))
        assert load_dataset(path, one_vs_rest=one).class_names == ("not dog", "dog")

    def test_rest_rows(self, npz):
        """All rows of the class stay, so many others with them, in file order."""
        x = np.arange(30)[:, None]
        path = npz(x_train=x, x_test=x[:12], group=np.arange(30))
        data = load_dataset(path, one_vs_rest=1, rest_rows=4, groups="group")
        assert data.class_counts == (4, 10)
        assert data.y_train.tolist() == [int(i % 3 == 1) for i in data.x_train[:, 0]]
        assert (np.diff(data.x_train[:, 0]) > 0).all()
        assert (data.groups == data.x_train[:, 0]).all()
        assert len(data.x_test) == 12

    def test_rest_rows_are_seeded(self, npz):
        """The seed alone decides which others."""
        path, options = npz(), {"one_vs_rest": 1, "rest_rows": 6}
        prints = [load_dataset(path, seed=s, **options).fingerprint for s in (0, 0, 1)]
        assert prints[0] == prints[1] != prints[2]

    def test_before_subsets(self, npz):
        """The subset counts relabelled rows."""
        options = {"one_vs_rest": 1, "train_rows": 4, "sample": "stratified"}
        assert load_dataset(npz(), **options).class_counts == (3, 1)

    @pytest.mark.parametrize("one", [7, "seven", True])
    def test_no_such_class(self, npz, one):
        """An unknown class is answered with the known ones."""
        refused("one_vs_rest: no class .* there are: 0, 1, 2", npz(), one_vs_rest=one)

    def test_too_many_rest_rows(self, npz):
        """There cannot be more others than there are."""
        refused("rest_rows: there are 20 rows, got 21", npz(), one_vs_rest=1, rest_rows=21)

    def test_rest_rows_alone(self, npz):
        """Without a class there is no rest."""
        refused("rest_rows: only together with one_vs_rest", npz(), rest_rows=5)


class TestScaled:
    def test_training_rows_alone_decide(self, npz):
        """Test rows are scaled by what the kept training rows say."""
        x = np.array([[0.0], [2.0], [50.0]] * 10)
        path = npz(x_train=x, x_test=np.full((12, 1), 3.0))
        data = load_dataset(path, scaling="standardize", train_rows=2, test_rows=2)
        assert data.x_train.tolist() == [[-1.0], [1.0]]
        assert data.x_test.tolist() == [[2.0], [2.0]]
        assert data.x_test.dtype == np.float32
