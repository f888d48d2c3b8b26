"""`sweep import` and `sweep.import_results`: scikit-learn's searches as studies of the ledger."""

import json
import warnings

import commands
import numpy as np
import pandas as pd
import pytest
from commands import read, sweep
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    RandomizedSearchCV,
    RepeatedStratifiedKFold,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

import sweep as package
from sweep import analysis, open_study
from sweep.analysis.binomial import are_independent
from sweep.errors import ImportFileError, LedgerError
from sweep.importing import tables

here = commands.here
RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 4))
Y = (X[:, 0] + X[:, 1] / 2 + RNG.normal(0, 0.4, 90) > 0).astype(int)
DEPTHS = {"max_depth": [1, 3, None], "criterion": ["gini", "entropy"]}


@pytest.fixture(scope="module")
def search():
    """A grid with a None among its values."""
    tree = DecisionTreeClassifier(random_state=0)
    return GridSearchCV(tree, DEPTHS, cv=5, return_train_score=True).fit(X, Y)


def as_written(params):
    """A candidate's parameters as a study holds them: None is text."""
    return {name: "None" if value is None else value for name, value in params.items()}


def assert_same(result, cv_results, metric="score"):
    """Candidates, states, the scores of each split, ranks: all equal."""
    frame = result.frame
    assert [c.params for c in result.record.candidates] == [
        as_written(params) for params in cv_results["params"]
    ]
    failed = np.isnan(cv_results[f"mean_test_{metric}"])
    assert (frame["state"] == "FAIL").tolist() == failed.tolist()
    for name in [n for n in cv_results if n.endswith(f"_test_{metric}")]:
        mine = frame[name.removesuffix(metric) + "score"].astype(float)
        theirs = np.asarray(cv_results[name], dtype=float)
        # scikit-learn ranks what failed last, and keeps the scores of the splits that did not
        assert mine[~failed].tolist() == pytest.approx(theirs[~failed].tolist(), abs=1e-9)
        assert mine[failed].isna().all()


WRITERS = {
    "cv.csv": lambda frame, path: frame.to_csv(path),
    "plain.csv": lambda frame, path: frame.drop(columns="params").to_csv(path, index=False),
    "columns.json": lambda frame, path: frame.to_json(path),
    "rows.json": lambda frame, path: frame.to_json(path, orient="records"),
    "cv.parquet": lambda frame, path: frame.drop(columns="params").astype(
        {"param_max_depth": "Int64"}
    ).to_parquet(path),
}  # fmt: skip


@pytest.mark.parametrize("file", WRITERS)
def test_files_that_pandas_writes(here, search, file):
    """Each format comes back as it was, and a report, a pivot and a comparison can be made."""
    if file.endswith("parquet"):
        pytest.importorskip("pyarrow")
    WRITERS[file](pd.DataFrame(search.cv_results_), here / file)
    said = read("import", file, "--name", "trees", "--scoring", "accuracy")
    assert said.startswith("trees: 6 candidates, 6 complete")
    result = open_study("trees")
    if file in ("plain.csv", "cv.parquet"):  # an empty cell may be None, or no parameter
        assert result.frame["mean_test_score"].tolist() == pytest.approx(
            search.cv_results_["mean_test_score"].tolist()
        )
        assert "max_depth" not in result.record.candidates[2].params
    else:
        assert_same(result, search.cv_results_)
        assert analysis.mean_score(result.best) == pytest.approx(search.best_score_)
    page = result.report(here / "page.html").read_text("utf-8")
    assert f"imported: scikit-learn, {file}" in page
    assert "Repeat it" not in page
    assert "closed" not in page


def test_two_lines_in_a_notebook(here, search):
    """The rows of the splits are counted: the interval is that of a study of sweep's own."""
    result = package.import_results(search, X, Y, name="trees")
    assert_same(result, search.cv_results_)
    assert [s.n_test for s in result.record.trials[0].splits] == [18] * 5
    held = analysis.score_interval(result.record, result.best)
    assert "Nadeau and Bengio" in held.method
    assert held.low < search.best_score_ < held.high
    assert result.record.imported.tool == "GridSearchCV"
    assert result.record.data.class_counts == tuple(np.bincount(Y))
    assert result.report(here / "page.html").exists()


def test_without_rows_the_folds_tell(here, search):
    """An interval as of 5 folds, close to that with rows; no binomial one is made up."""
    pd.DataFrame(search.cv_results_).to_csv("cv.csv")
    read("import", "cv.csv", "--scoring", "accuracy")
    known = package.import_results(search, X, Y, name="known")
    blind = open_study("cv")
    ends = [analysis.score_interval(r.record, r.record.candidates[0]) for r in (known, blind)]
    assert "taken for those of 5-fold" in ends[1].method
    widths = [end.high - end.low for end in ends]
    assert widths[1] <= widths[0]
    assert {c.trial.splits[0].n_test for c in blind.record.candidates} == {0}
    assert analysis.compare(blind.record) is not None


def test_repeats_make_the_interval_wider(here):
    """2 x 5 splits are no 10-fold cross-validation: a tenth of the rows is not a fifth."""
    cv = RepeatedStratifiedKFold(n_splits=5, n_repeats=2, random_state=0)
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=cv).fit(X, Y)
    pd.DataFrame(search.cv_results_).to_csv("cv.csv")
    read("import", "cv.csv", "--name", "ten")
    read("import", "cv.csv", "--name", "five", "--repeats", "2")
    ten, five = (open_study(name).record for name in ("ten", "five"))
    ends = [analysis.score_interval(r, r.candidates[0]) for r in (ten, five)]
    assert ends[1].high - ends[1].low > 1.2 * (ends[0].high - ends[0].low)
    own = package.import_results(search, X, Y, name="own").record.settings.search
    assert (own.cv, own.repeats) == (5, 2)
    wrong = sweep("import", "cv.csv", "--name", "x", "--repeats", "3")
    assert (wrong.exit_code, "10 splits are no 3 repeats" in wrong.output) == (2, True)


def test_a_random_search_has_ranges_and_importances(here):
    """40 draws of C: a logarithmic range; the importances are computed."""
    from scipy.stats import loguniform

    pipe = make_pipeline(StandardScaler(), LogisticRegression())
    centred = "standardscaler__with_mean"
    space = {"logisticregression__C": loguniform(1e-4, 1e2), centred: [True, False]}
    search = RandomizedSearchCV(pipe, space, n_iter=40, cv=3, random_state=0).fit(X, Y)
    result = package.import_results(search, X, Y, name="draws")
    assert_same(result, search.cv_results_)
    dimensions = result.record.settings.space.dimensions
    assert dimensions["logisticregression__C"].log
    assert sorted(vars(dimensions[centred])["values"]) == [False, True]
    assert result.record.importances.n == 40
    assert result.pivot(centred).mean.notna().all().all()


def test_several_scores_and_a_failure(here):
    """The refit score ranks, others stand beside it; a candidate that failed has its reason."""
    tree = DecisionTreeClassifier(random_state=0)
    search = GridSearchCV(
        tree, {"max_depth": [1, 2], "min_samples_split": [2, 0.5, -1]}, cv=3,
        scoring=["f1", "accuracy"], refit="accuracy",
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn tells of the fits that fail
        search.fit(X, Y)
    result = package.import_results(search, X, Y, name="both")
    assert_same(result, search.cv_results_, "accuracy")
    f1 = result.frame["mean_test_f1"].astype(float).tolist()
    assert f1 == pytest.approx(search.cv_results_["mean_test_f1"].tolist(), nan_ok=True)
    reasons = {c.trial.reason for c in result.record.candidates if c.trial.state == "FAIL"}
    assert reasons == {"it has no score in split 0, 1, 2: a fit failed there"}
    pd.DataFrame(search.cv_results_).to_csv("cv.csv")
    refused = sweep("import", "cv.csv")
    assert (refused.exit_code, "--score, one of f1, accuracy" in refused.output) == (2, True)
    read("import", "cv.csv", "--score", "f1")
    assert open_study("cv").record.settings.search.scorers == ("f1", "accuracy")


def test_regression_groups_and_objects(here):
    """Scores below 0, rows that keep together, an estimator for a value: all are shown."""
    target = X[:, 0] * 3
    search = GridSearchCV(Ridge(), {"alpha": [0.1, 10.0]}, cv=3, scoring="neg_mean_squared_error")
    result = package.import_results(search.fit(X, target), X, target, name="ridge")
    assert_same(result, search.cv_results_)
    assert analysis.scorer(result.record) == "neg_mean_squared_error"
    groups = np.repeat(np.arange(9), 10)
    pipe = make_pipeline(StandardScaler(), DummyClassifier())
    models = {"dummyclassifier": [DummyClassifier(), LogisticRegression(C=2.0)]}
    grouped = GridSearchCV(pipe, models, cv=GroupKFold(3)).fit(X, Y, groups=groups)
    result = package.import_results(grouped, X, Y, groups=groups, name="grouped")
    assert not are_independent(result.record)
    names = [c.params["dummyclassifier"] for c in result.record.candidates]
    assert names == ["DummyClassifier()", "LogisticRegression(C=2.0)"]


def test_two_searches_on_the_same_rows_are_compared(here, search):
    """Split by split; on other rows they are not, nor where nobody knows the rows."""
    other = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=5).fit(X, Y)
    one = package.import_results(search, X, Y, name="trees").record
    two = package.import_results(other, X, Y, name="lines").record
    pair = analysis.paired(one, two)
    assert pair.difference == pytest.approx(search.best_score_ - other.best_score_)
    assert pair.low < pair.difference < pair.high
    moved = GridSearchCV(LogisticRegression(), {"C": [0.1]}, cv=5).fit(X + 1, Y)
    three = package.import_results(moved, X + 1, Y, name="moved").record
    assert analysis.paired(one, three).reason == "other data"
    pd.DataFrame(search.cv_results_).to_csv("cv.csv")
    read("import", "cv.csv")
    assert "not known" in analysis.paired(one, open_study("cv").record).reason
    assert "trees" in read("compare", "trees", "lines", "cv")


def test_nothing_goes_on_with_it(here, search):
    """run, check, stop, submit and export say why, with status 2; delete takes it away."""
    package.import_results(search, X, Y, name="trees")
    (here / "study.toml").write_text(
        '[study]\nname = "trees"\n[data]\ndataset = "digits"\n[search]\nmethod = "grid"\n'
        "[space]\nepochs = [1, 2]\n"
    )
    for words in (
        ["run", "study.toml"], ["run", "study.toml", "--retry-failed"], ["submit", "study.toml"],
        ["check", "study.toml"], ["stop", "trees"], ["export", "trees"],
    ):  # fmt: skip
        refused = sweep(*words)
        assert (refused.exit_code, "was imported (GridSearchCV" in refused.output) == (2, True)
    assert "no cell is left to take" in sweep("worker", "--study", "trees").output
    with pytest.raises(LedgerError, match="name this one otherwise"):
        package.import_results(search, X, Y, name="trees")
    read("delete", "trees", "--yes")
    package.import_results(search, X, Y, name="trees")


def test_a_study_file_cannot_say_imported(here):
    """It is no method that people may name."""
    (here / "study.toml").write_text(
        '[study]\nname = "x"\n[data]\ndataset = "digits"\n[search]\nmethod = "imported"\n'
        "trials = 3\n[space]\nepochs = [1, 2]\n"
    )
    refused = sweep("check", "study.toml")
    assert refused.exit_code == 2
    assert "search.method" in refused.output
    assert 'got "imported"' in refused.output


ROW = {"params": "{'a': 1}", "mean_test_score": "0.5", "split0_test_score": "0.4",
       "split1_test_score": "0.6"}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"split0_test_score": "high"}, ["row 2, split0_test_score: must be a number, got 'high'"]),
        ({"mean_test_score": "0.9"}, ["row 2, mean_test_score: must be the mean of its splits"]),
        ({"mean_test_score": "x", "mean_fit_time": "-1"},
         ["row 2, mean_test_score: must be a number", "mean_fit_time: must not be negative"]),
        ({"params": "__import__('os').system('touch pwned')"}, ["no columns param_..."]),
        ({"params": "{'a': __import__('os').system('touch pwned')}"}, ["no columns param_..."]),
        ({"params": "(" * 9000}, ["no columns param_..."]),
    ],
)  # fmt: skip
def test_bad_tables_are_told_whole(here, changes, said):
    """Every problem with its row, status 2, nothing executed, no study and no ledger left."""
    names = list({**ROW, **changes})
    pd.DataFrame([ROW, {**ROW, **changes}], columns=names).to_csv("cv.csv", index=False)
    refused = sweep("import", "cv.csv")
    assert refused.exit_code == 2
    for line in said:
        assert line in refused.output
    assert "Traceback" not in refused.output
    assert [path.name for path in here.iterdir()] == ["cv.csv"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("cv.pkl", b"\x80\x04", "must be a .csv, .json or .parquet file"),
        ("none.csv", None, "there is no such file"),
        ("cv.csv", b"", "has no rows"),
        ("cv.csv", b"a,b\n1,2\n", "say which column ranks and which are parameters"),
        ("cv.csv", b"a;b\n1;2\n", "separated by commas"),
        ("cv.csv", b"a,a\n1,2\n", "column 'a' stands twice"),
        ("cv.csv", b"a,b\n1,2,3\n", "line 2: must have 2 cells"),
        ("cv.csv", b'a,b\n"1,2\n', "no CSV"),
        ("cv.csv", b"a,b\n\xff\xfe,2\n", "must be UTF-8 text"),
        ("cv.csv", b"a,b\n\0,2\n", "zero byte"),
        ("cv.json", b"[1, 2]", "must be a list of rows or an object of columns"),
        ("cv.json", b"[" * 100_000, "no JSON"),
        ("cv.json", b'{"a": 1}', "must be a list, or an object by row"),
        ("cv.json", b'{"a": [1], "b": [1, 2]}', "must be of one length"),
        ("cv.parquet", b"PAR1 nonsense PAR1", "Parquet file"),
    ],
)
def test_files_that_are_none(here, name, content, said):
    """One line, status 2, and nothing is left behind."""
    if content is not None:
        (here / name).write_bytes(content)
    refused = sweep("import", name)
    assert (refused.exit_code, said in refused.output) == (2, True), refused.output
    assert "Traceback" not in refused.output
    assert not (here / ".sweep").exists()


def test_sizes_are_bounded(here, monkeypatch):
    """Bytes, rows and columns."""
    pd.DataFrame([ROW] * 4).to_csv("cv.csv", index=False)
    for limit, value in (("LARGEST_FILE", 10), ("MOST_TRIALS", 3), ("MOST_COLUMNS", 2)):
        with monkeypatch.context() as patch:
            patch.setattr(tables, limit, value)
            refused = sweep("import", "cv.csv")
            assert (refused.exit_code, "must have at most" in refused.output) == (2, True)


def test_hostile_names_are_text(here):
    """Markup in names and values stays text on the page; controls do not reach a terminal."""
    params = [{"<script>alert(1)</script>": "\x1b[31m=cmd", "b": True}, {"b": 1}]
    rows = [{**ROW, "params": each} for each in params]
    (here / "cv.json").write_text(json.dumps(rows))
    assert "\x1b" not in read("import", "cv.json", "--name", "<b>bold</b>")
    result = open_study("<b>bold</b>")
    page = result.report(here / "page.html").read_text("utf-8")
    assert "<script>alert(1)" not in page
    assert "\x1b" not in read("show", "<b>bold</b>")


def test_an_unfitted_search_is_refused(here, search):
    """And so is another number of splits than X and y make."""
    with pytest.raises(ImportFileError, match="must be a fitted search"):
        package.import_results(GridSearchCV(Ridge(), {}), X, Y, name="x")
    assert not (here / ".sweep").exists()
