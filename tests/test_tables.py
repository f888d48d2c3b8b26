"""Frames and pivots out of a study record."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from records import empty_record, grid_record, tpe_record, validation_record
from scipy.stats import rankdata

from sweep.errors import ResultError
from sweep.tables import candidates_frame, folds_frame, in_quartiles, ordered_values, pivot


def test_columns_are_those_of_scikit_learn_in_a_fixed_order():
    """The table of candidates carries GridSearchCV's column names."""
    assert list(candidates_frame(grid_record(folds=2))) == [
        "candidate",
        "param_epochs",
        "param_hidden_size",
        "mean_test_score",
        "std_test_score",
        "rank_test_score",
        "split0_test_score",
        "split1_test_score",
        "mean_train_score",
        "std_train_score",
        "split0_train_score",
        "split1_train_score",
        "mean_fit_time",
        "std_fit_time",
        "mean_score_time",
        "parameters",
        "state",
        "reason",
        "epochs_run",
    ]


def test_train_columns_are_left_out_where_nothing_was_measured():
    """A study without training scores has no train columns."""
    assert not [c for c in candidates_frame(tpe_record(12)) if "train" in c]


def test_each_row_has_the_scores_of_its_own_epoch():
    """One trial of three epochs makes three rows, each with its own mean and population std."""
    record = grid_record()
    frame = candidates_frame(record)
    for candidate, row in zip(record.candidates, frame.to_dict("records"), strict=True):
        scores = [s.test[candidate.epoch] for s in candidate.trial.splits]
        assert row["mean_test_score"] == pytest.approx(np.mean(scores))
        assert row["std_test_score"] == pytest.approx(np.std(scores))
        assert row["epochs_run"] == candidate.epoch


def test_ranks_are_scikit_learns():
    """Ranks are rankdata(-mean, method="min")."""
    frame = candidates_frame(grid_record())
    expected = rankdata(-frame["mean_test_score"], method="min").astype(int)
    assert frame["rank_test_score"].tolist() == expected.tolist()


def test_pruned_and_failed_rows_have_no_score_and_no_rank():
    """Only complete rows hold scores, times and a rank; the reason of a failure stands."""
    frame = candidates_frame(tpe_record(60))
    rest = frame[frame["state"] != "COMPLETE"]
    assert set(rest["state"]) == {"PRUNED", "FAIL"}
    empty = ["mean_test_score", "split0_test_score", "rank_test_score", "mean_fit_time"]
    assert rest[empty].isna().all(axis=None)
    assert set(rest["reason"]) == {None, "the loss became NaN in epoch 1"}


def test_a_parameter_that_does_not_apply_is_none():
    """momentum is None wherever the optimizer is not sgd, and a number where it is."""
    frame = candidates_frame(tpe_record(60))
    sgd = frame["param_optimizer"] == "sgd"
    assert set(frame.loc[~sgd, "param_momentum"]) == {None}
    assert all(isinstance(v, float) for v in frame.loc[sgd, "param_momentum"])


def test_a_whole_number_beside_a_missing_value_stays_whole():
    """An integer parameter that applies to some candidates is not turned into floats."""
    record = tpe_record(4)
    rows = [
        replace(c, params={"filters": 32} if n else {}) for n, c in enumerate(record.candidates)
    ]
    held = candidates_frame(replace(record, candidates=tuple(rows)))["param_filters"]
    assert [repr(v) for v in held] == ["None", "32", "32", "32"]


def test_a_study_without_scores_still_has_its_rows():
    """A failed study gives a frame with its row and empty means."""
    frame = candidates_frame(empty_record())
    assert frame["state"].tolist() == ["FAIL"]
    assert frame["mean_test_score"].isna().all()


def test_every_seed_has_its_columns():
    """With several seeds a split has a column for each; the mean is over all of them."""
    record = grid_record(epochs=(5,), widths=(32,))
    trial = record.trials[0]
    again = tuple(replace(s, seed=1, test={5: 0.5}) for s in trial.splits)
    trial = replace(trial, splits=(*trial.splits, *again))
    rows = tuple(replace(c, trial=trial) for c in record.candidates)
    row = candidates_frame(replace(record, trials=(trial,), candidates=rows)).iloc[0]
    scores = [row[f"split{i}_seed{j}_test_score"] for i in range(5) for j in range(2)]
    assert scores[1::2] == [0.5] * 5
    assert row["mean_test_score"] == pytest.approx(np.mean(scores))
    folds = folds_frame(replace(record, trials=(trial,), candidates=rows))
    assert set(folds["seed"]) == {0, 1}


def test_folds_hold_every_epoch_of_every_split():
    """Trials times splits times epochs rows, with loss and accuracy of the history."""
    record = grid_record()
    frame = folds_frame(record)
    assert len(frame) == 3 * 5 * 10
    row = frame[(frame["trial"] == 1) & (frame["split"] == 2) & (frame["epoch"] == 7)].iloc[0]
    split = record.trials[1].splits[2]
    assert row["test_score"] == split.test[7]
    assert row["loss"] == split.history["loss"][6]
    assert row["candidate"] == 1


def test_folds_keep_pruned_trials():
    """A pruned trial's curve is in the folds, as long as it ran."""
    record = tpe_record(12)
    frame = folds_frame(record)
    pruned = next(t for t in record.trials if t.state == "PRUNED")
    assert len(frame[frame["trial"] == pruned.number]) == len(pruned.splits[0].test)


def test_the_pivot_of_e6_has_two_index_levels_and_two_values():
    """Index (epochs, hidden_size), values mean training and mean test score."""
    frame = candidates_frame(grid_record())
    found = pivot(
        frame, ["epochs", "param_hidden_size"], None, ["mean_train_score", "mean_test_score"]
    )
    assert list(found.mean.index.names) == ["epochs", "hidden_size"]
    assert list(found.mean.index)[:4] == [(1, 32), (1, 64), (1, 256), (5, 32)]
    assert list(found.mean.columns) == ["mean_train_score", "mean_test_score"]
    expected = frame.set_index(["param_epochs", "param_hidden_size"])["mean_test_score"]
    assert found.mean["mean_test_score"].tolist() == expected.tolist()
    assert found.n["n"].tolist() == [1] * 9


def test_a_pivot_keeps_candidates_whose_parameter_is_missing():
    """None becomes "None", last, and no candidate is lost."""
    frame = candidates_frame(tpe_record(60))
    complete = frame[frame["state"] == "COMPLETE"]
    found = pivot(frame, "momentum", "optimizer")
    assert found.mean.index[-1] == "None"
    assert found.n.to_numpy().sum() == len(complete)


def test_only_complete_candidates_enter_a_pivot():
    """Counts of a pivot are counts of complete rows, and means theirs."""
    frame = candidates_frame(tpe_record(60))
    found = pivot(frame, "optimizer")
    complete = frame[frame["state"] == "COMPLETE"].groupby("param_optimizer")["mean_test_score"]
    assert found.n["n"].to_dict() == complete.size().to_dict()
    assert found.mean["mean_test_score"].to_dict() == pytest.approx(complete.mean().to_dict())


def test_an_empty_cell_has_no_mean_and_n_0():
    """Where no candidate fell the mean is NaN and n is 0."""
    frame = candidates_frame(grid_record()).iloc[1:]
    found = pivot(frame, "epochs", "hidden_size")
    assert np.isnan(found.mean.to_numpy()[0, 0])
    assert found.n.loc[1, 32] == 0


def test_values_sort_as_a_reader_would():
    """Numbers by size, words by letter, missing last; lists become text."""
    assert ordered_values([10, None, 9, "b", "a", 9.5, [1, 2]]) == [
        9,
        9.5,
        10,
        "[1, 2]",
        "a",
        "b",
        "None",
    ]


def test_categories_keep_their_order_and_only_those_observed_stay():
    """A categorical column is pivoted in the order of its categories."""
    frame = candidates_frame(validation_record())
    labels = pd.Categorical(["low", "high", "low"], categories=["low", "middle", "high"])
    found = pivot(frame.assign(param_hidden_size=labels), "hidden_size")
    assert list(found.mean.index) == ["low", "high"]


def test_tuples_stay_one_label():
    """A parameter whose values are tuples makes one index level."""
    frame = candidates_frame(validation_record())
    frame["param_hidden_size"] = pd.Series([(32,), (32, 32), None], dtype=object)
    assert list(pivot(frame, "hidden_size").mean.index) == ["(32,)", "(32, 32)", "None"]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ({"index": "hiden_size"}, "did you mean hidden_size.*There are: epochs, hidden_size"),
        ({"index": "epochs", "values": "mean_tset_score"}, "did you mean mean_test_score"),
        ({"index": "hiden_size"}, "named 'hiden_size', did you mean"),
        ({"index": "epochs", "values": "state"}, "no column named 'state'; there are: mean_test"),
        ({"index": "test"}, "no parameter named 'test'; there are: epochs, hidden_size"),
        ({"index": []}, "at least one name each"),
    ],
)
def test_a_wrong_name_is_refused_with_the_allowed_ones(call, words):
    """The error of a pivot names what is allowed, and the closest."""
    with pytest.raises(ResultError, match=words):
        pivot(candidates_frame(grid_record()), **call)


def test_a_range_stands_in_quartiles_that_lose_no_candidate():
    """Five or more values of a range become four rows; n adds up, and the means are theirs."""
    frame = candidates_frame(tpe_record(60))
    complete = frame[frame["state"] == "COMPLETE"]
    found = pivot(frame, "learning_rate", "optimizer", ranged={"learning_rate"})
    assert found.cut == ("learning_rate",)
    assert len(found.mean) == 4
    assert int(found.n.to_numpy().sum()) == len(complete)
    rates, scores = (complete[c].astype(float) for c in ("param_learning_rate", "mean_test_score"))
    lowest = scores[rates <= rates.quantile(0.25)]
    alone = pivot(frame, "learning_rate", ranged={"learning_rate"})
    assert alone.mean["mean_test_score"].iloc[0] == pytest.approx(lowest.mean())
    assert alone.n["n"].iloc[0] == len(lowest)


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([1, 2, 3, 4, 5, 6, 7, 8], ["1 to 2", "3 to 4", "5 to 6", "7 to 8"]),
        ([1024, 2048, 3000, 4096, 8192], ["1024 to 2048", "3000", "4096", "8192"]),
        ([0.1, 0.2, 0.3, 0.4, 0.55], ["0.1 to 0.2", "0.3", "0.4", "0.55"]),
        ([1.0001, 1.0002, 1.0003, 1.0004, 1.5], ["1.0001 to 1.0002", "1.0003", "1.0004", "1.5"]),
        ([1, 1, 1, 1, 1, 1, 2, 3, 4, 9], ["1 to 2", "3 to 9"]),
        ([1, 2, 3, 4, 5, None], ["1 to 2", "3", "4", "5"]),
    ],
)
def test_quartiles_are_named_by_the_values_in_them(values, labels):
    """No two quartiles share a value, and what does not apply lies in none."""
    cut = in_quartiles(pd.DataFrame({"param_a": values}), ["a"])["param_a"]
    assert list(cut.cat.categories) == labels
    assert cut.isna().tolist() == [value is None for value in values]


def test_a_range_of_few_values_and_a_choice_stand_value_by_value():
    """Up to four values are not cut, and no list of choices is."""
    frame = candidates_frame(tpe_record(60))
    found = pivot(frame, "filters", "learning_rate", ranged={"filters"})
    assert found.cut == ()
    assert list(found.mean.index) == [16, 32, 64]
    assert found.mean.shape[1] > 8


def test_a_pivot_that_grows_with_the_square_of_the_trials_is_refused():
    """Two ranges value by value are more cells than anybody reads; in the rows they are not."""
    rows = 400
    frame = pd.DataFrame(
        {
            "state": ["COMPLETE"] * rows,
            "mean_test_score": np.linspace(0, 1, rows),
            "param_a": np.linspace(0, 1, rows),
            "param_b": np.linspace(1, 2, rows),
        }
    )
    with pytest.raises(ResultError, match=r"got 400 rows x 400 columns; leave exact values out"):
        pivot(frame, "a", "b")
    assert pivot(frame, "a", "b", ranged={"a", "b"}).mean.shape == (4, 4)
    assert len(pivot(frame, ["a", "b"]).mean) == rows


def test_a_pivot_with_a_parameter_twice_is_refused():
    """In rows, in columns, or in both."""

    frame = pd.DataFrame({"param_a": [1, 2], "mean_test_score": [0.5, 0.6], "state": "COMPLETE"})
    with pytest.raises(ResultError, match="each parameter may stand once, got a twice"):
        pivot(frame, "a", "a")


def test_a_copied_result_names_its_trial():
    """The column is there only where a result was taken over, and nothing else changes."""
    record = tpe_record(12)
    assert "copied_from" not in candidates_frame(record)
    first, *others = record.candidates
    copied = replace(first, trial=replace(first.trial, copied_from=5))
    frame = candidates_frame(replace(record, candidates=(copied, *others)))
    assert frame["copied_from"].tolist() == [5, *[None] * 11]
    without = frame.drop(columns="copied_from")
    pd.testing.assert_frame_equal(without, candidates_frame(record))


def test_a_pivot_prints_itself():
    """Each mean with its n in brackets, a dash where there is none; each value below the other."""
    frame = candidates_frame(grid_record()).iloc[1:]
    found = pivot(frame, "epochs", "hidden_size", ["mean_test_score", "parameters"])
    first, second = (block.splitlines() for block in repr(found).split("\n\n"))
    assert first[0] == "mean_test_score (n)"
    assert first[1].split() == ["hidden_size", "32", "64", "256"]
    score = found.mean.loc[1, ("mean_test_score", 64)]
    assert first[3].split()[:4] == ["1", "-", f"{score:.4f}", "(1)"]
    assert second[4].split() == ["5", "25,450", "(1)", "50,890", "(1)", "203,530", "(1)"]
    assert f"<td>{score:.4f} (1)</td>" in found._repr_html_()
    alone = repr(pivot(frame, "epochs")).splitlines()
    assert alone[-1].split()[0] == "10"
    assert alone[-1].endswith(" (3)")


def test_a_pivot_without_candidates_says_so():
    """Where nothing is complete it prints no empty table."""
    assert "no candidate is complete" in repr(pivot(candidates_frame(empty_record()), "epochs"))


def test_columns_of_several_parameters_stand_in_order():
    """By the first, then by the second, as in the rows; means under their own columns."""
    frame = candidates_frame(tpe_record(60))
    asked = ("mean_test_score", "mean_fit_time")
    found = pivot(frame, "optimizer", ["filters", "momentum"], asked)
    columns = list(found.n.columns)
    assert [c[0] for c in columns] == sorted(c[0] for c in columns)
    assert list(found.mean.columns) == [(v, *c) for v in asked for c in columns]
    row = frame[(frame["state"] == "COMPLETE") & (frame["param_optimizer"] == "sgd")].iloc[0]
    place = (row["param_filters"], row["param_momentum"])
    for value in asked:
        assert found.mean.loc["sgd", (value, *place)] == row[value]
    assert found.n.loc["sgd", place] == 1


def test_a_candidate_prints_itself():
    """Its number, settings, end and mean score, not all that its splits measured."""
    record = grid_record()
    score = candidates_frame(record)["mean_test_score"].iloc[-1]
    said = repr(record.candidates[-1])
    assert said == f"<Candidate 8: epochs=10, hidden_size=256; complete, mean score {score:.4f}>"
    assert repr(empty_record().candidates[0]).endswith("; failed>")
