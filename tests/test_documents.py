"""What README and docs show is run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
MODELS = (ROOT / "docs" / "models.md").read_text("utf-8")


def blocks(text, language):
    """Return the fenced blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def commands(text):
    """Return the sweep commands of the console blocks, comments cut off."""
    lines = "\n".join(blocks(text, "console")).splitlines()
    return [line[2:].partition("#")[0].split() for line in lines if line.startswith("$ sweep ")]


def run(command, folder):
    """Run a command as a person would and return what it prints."""
    line = [sys.executable, "-m", *command]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_study_file_of_the_readme_is_a_study_file():
    """Also with the commented lines of its space."""
    from sweep.spec import load_study

    (text,) = blocks(README, "toml")
    assert load_study_text(text).space.dimensions.keys() == {"epochs", "hidden_size"}
    assert load_study is not None


def load_study_text(text):
    """Load a study from its text."""
    import tomllib

    from sweep.spec import load_study

    return load_study(tomllib.loads(text))


def test_every_file_that_the_documents_name_is_there():
    """Links and images lead somewhere."""
    for name in (
        "README.md",
        "CONTRIBUTING.md",
        "docs/data.md",
        "docs/models.md",
        "docs/estimators.md",
        *(f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md"))),
    ):
        text = (ROOT / name).read_text("utf-8")
        targets = [t for t in re.findall(r"\]\(([^)#]+)", text) if "://" not in t]
        missing = [t for t in targets if not (ROOT / name).parent.joinpath(t).exists()]
        assert missing == []


def test_every_shipped_study_is_named_in_the_readme():
    """And every name that stands there is shipped."""
    from sweep.spec import shipped_studies

    (named,) = re.findall(r"Shipped studies run by name: ([^.]+)\.", README)
    assert sorted(re.findall(r"`([^`]+)`", named)) == sorted(shipped_studies())


@pytest.mark.tensorflow
def test_the_first_commands_of_the_readme_work(tmp_path):
    """init, check and run, in an empty folder, as they stand there."""
    own = [command for command in commands(README) if command[1] in ("init", "check", "run")]
    for command in own:
        if "mnist-mlp-grid" not in command:
            run(command, tmp_path)
    assert len(own) == 4
    assert list((tmp_path / "reports").glob("*.html"))


@pytest.mark.tensorflow
def test_the_python_of_the_readme_works(tmp_path):
    """Every line of the Python blocks."""
    code = "\n".join(blocks(README, "python"))
    (tmp_path / "readme.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "readme.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "report.html").stat().st_size > 10_000


@pytest.mark.tensorflow
def test_the_model_of_ones_own_in_the_docs_works(tmp_path):
    """mine.py and mine.toml, as docs/models.md shows them, on digits."""
    (tmp_path / "mine.py").write_text(blocks(MODELS, "python")[0])
    head = '[data]\ndataset = "digits"\ntrain_rows = 200\n[search]\nmethod = "grid"\ncv = 2\n'
    (tmp_path / "mine.toml").write_text(head + blocks(MODELS, "toml")[0])
    (command,) = commands(MODELS)
    assert "4 cells" in run([*command, "--no-report"], tmp_path)


@pytest.mark.tensorflow
def test_the_dataset_of_ones_own_in_the_docs_works(tmp_path):
    """mine.py and its commands, as docs/data.md shows them."""
    text = (ROOT / "docs" / "data.md").read_text("utf-8")
    (tmp_path / "mine.py").write_text(blocks(text, "python")[0])
    rest = '[model]\nepochs = 2\n[search]\nmethod = "grid"\ncv = 2\n[space]\nhidden_size = [4]\n'
    (tmp_path / "study.toml").write_text(blocks(text, "toml")[-1] + rest)
    look, search = commands(text)
    assert "even" in run(look, tmp_path)
    assert "1 cell" in run([*search, "--no-report"], tmp_path)


@pytest.mark.tensorflow
def test_the_section_of_ones_own_in_the_docs_works(tmp_path):
    """mine.py and [report], as docs/report-sections.md shows them; reading runs none of it."""
    text = (ROOT / "docs" / "report-sections.md").read_text("utf-8")
    (tmp_path / "mine.py").write_text(blocks(text, "python")[0])
    rest = '[data]\ndataset = "digits"\ntrain_rows = 200\n[model]\nepochs = 2\n'
    rest += '[search]\nmethod = "grid"\ncv = 2\n[space]\nhidden_size = [4, 16]\n'
    (tmp_path / "study.toml").write_text(rest + blocks(text, "toml")[0])
    (command,) = commands(text)
    run(command, tmp_path)
    page = (tmp_path / "reports" / "study.html").read_text("utf-8")
    assert "2 complete candidates; held-out score above their median." in page
    assert "data:image/svg+xml;base64," in page
    assert 'id="leaderboard"' in page
    assert 'id="pivots"' not in page
    (tmp_path / "mine.py").unlink()
    run(["sweep", "report", "study", "--output", "again.html"], tmp_path)
    assert (tmp_path / "again.html").read_text("utf-8") == page


@pytest.mark.tensorflow
def test_the_search_of_the_docs_works(tmp_path):
    """The second Python block of docs/from-gridsearchcv.md, and its study file."""
    text = (ROOT / "docs" / "from-gridsearchcv.md").read_text("utf-8")
    (tmp_path / "ours.py").write_text(blocks(text, "python")[1] + "print(search.best_score_)\n")
    line = [sys.executable, "ours.py"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert load_study_text(blocks(text, "toml")[0]).grid_cells()


def test_the_generated_references_are_those_of_the_code():
    """docs/study-file.md and docs/model-parameters.md; `make docs` writes them again."""
    sys.path.insert(0, str(ROOT / "docs"))
    import generate

    assert (ROOT / "docs" / "study-file.md").read_text("utf-8") == generate.study_file()
    page = (ROOT / "docs" / "model-parameters.md").read_text("utf-8")
    assert page == generate.model_parameters()


@pytest.mark.tensorflow
@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.name)
def test_the_examples_run(path, tmp_path):
    """As they stand, in an empty folder, without a warning of ours."""
    done = subprocess.run(
        [sys.executable, str(path)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "test: 0.9" in done.stdout


def test_the_docs_name_every_declared_check():
    """docs/estimators.md and sweep.testing agree, reasons included."""
    from sweep.testing import DECLARED

    text = (ROOT / "docs" / "estimators.md").read_text("utf-8")
    for check, reason in DECLARED.items():
        assert f"| `{check}` | {reason} |" in text
