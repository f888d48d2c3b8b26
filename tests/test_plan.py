"""The plan of a study."""

import pytest

from sweep.errors import StudyFileError
from sweep.search.plan import cell_cost, check_models, make_plan, row_shape
from sweep.spec import ModelSection, load_study


def study(method="grid", space=None, **search):
    """Return a small study."""
    return load_study(
        {
            "study": {"name": "s", "seed": 3},
            "data": {"dataset": "digits"},
            "model": {"factory": "cnn" if space and "filters" in space else "mlp"},
            "search": {"method": method, **search},
            "space": space or {"epochs": [2, 5], "hidden_size": [16, 32]},
        }
    )


def test_candidates_that_differ_in_epochs_share_a_cell():
    """Two widths at two epochs are two cells, each scored twice."""
    plan = make_plan(study())
    assert [(cell.params, cell.epochs) for cell in plan.cells] == [
        ({"hidden_size": 16}, (2, 5)),
        ({"hidden_size": 32}, (2, 5)),
    ]
    assert plan.candidates == 4


def test_a_random_study_is_drawn_beforehand_and_grows_by_appending():
    """The first cells of a longer study are those of the shorter one."""
    short = make_plan(study("random", {"hidden_size": {"int": [8, 99]}}, trials=4)).cells
    longer = make_plan(study("random", {"hidden_size": {"int": [8, 99]}}, trials=9)).cells
    assert longer[:4] == short
    assert len({cell.params["hidden_size"] for cell in longer}) > 4


def test_a_tpe_study_is_slots():
    """What a sampler will learn is not known beforehand."""
    plan = make_plan(study("tpe", {"hidden_size": {"int": [8, 99]}}, trials=3))
    assert [cell.key for cell in plan.cells] == ["slot:0", "slot:1", "slot:2"]
    assert plan.sampled
    assert all(cell.params is None and cell.epochs == (10,) for cell in plan.cells)


def test_models_that_cannot_be_built_are_refused_together():
    """Each different problem once, with the candidate it was met at, before anything trains."""
    spec = study(space={"filters": [4, 8], "kernel_size": [3, 9, 11], "padding": ["valid"]})
    with pytest.raises(StudyFileError) as error:
        check_models(spec, make_plan(spec), (8, 8), 10)
    assert len(error.value.problems) == 2
    assert "layer conv_1: a 9x9 kernel does not fit its 8x8 input" in str(error.value)
    assert "met at filters = 4, kernel_size = 9" in str(error.value)


def test_wider_models_cost_more():
    """Cells are handed out dearest first."""
    spec = study()
    costs = [cell_cost(spec, cell, (8, 8), 10) for cell in make_plan(spec).cells]
    assert costs[1] > costs[0] > 0


def test_small_batches_cost_more():
    """Each step of the optimizer has a price of its own, also where the model is not known."""
    cells = make_plan(study()).cells
    dear = study().model_copy(update={"model": ModelSection(params={"batch_size": 1})})
    assert cell_cost(dear, cells[0], (8, 8), 10) > cell_cost(study(), cells[0], (8, 8), 10)


def test_a_row_is_as_image_shape_says():
    """In [model] or in [space]; a shape that does not hold a row is refused before training."""
    spec = study().model_copy(update={"model": ModelSection(params={"image_shape": [8, 8]})})
    assert row_shape(spec, {}, (64,)) == (8, 8)
    assert row_shape(spec, {"image_shape": [4, 16, 1]}, (64,)) == (4, 16, 1)
    with pytest.raises(StudyFileError, match=r"image_shape: must hold a row of shape \(49,\)"):
        check_models(spec, make_plan(spec), (49,), 10)
