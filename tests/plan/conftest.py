from pathlib import Path

import pytest
import yaml

from mimic.config.reading import check_parameters
from mimic.dag.study import Study

TEACHER = """
  filters: [2, 3, 4]
  hidden: 5
  learning_rate: 0.05
  momentum: 0.9
  weight_decay: 0.0
"""


@pytest.fixture
def content() -> dict:
    """A study small enough to be counted by hand: images of 8 pixels, two equal teachers, one student."""
    teacher = yaml.safe_load(TEACHER)
    budget = {"learning_rate": 0.1, "momentum": 0.9, "widths": {"fc": 10}}
    no_twins = {"schedule": {"kind": "one_cycle", "epochs": 1}}
    return {
        "study": "counted",
        "seed": 1,
        "precision": "fp32",
        "data": {"source": "synthetic", "image_size": 8, "train": 100, "validation": 20, "test": 30},
        "augmentation": {"window": [4, 8]},
        "teachers": {
            "schedule": {"kind": "one_cycle", "epochs": 3},
            "members": {"t1": teacher, "t2": {**teacher, "seed": 2}},
        },
        "ensemble": {"size": 2},
        "transfer": {"epochs": 3, "epochs_per_shard": 2, "dtype": "float16"},
        "students": {
            "schedule": {"kind": "patience", "stop": 3, "max_epochs": 10},
            "seeds": 3,
            "variants": {"mlp1": {"2k": budget}},
        },
        "hard_label_twins": no_twins,
        "dropout_twins": no_twins,
        "weight_decay_twins": no_twins,
        "search": {},
        "evaluation": {"translations": [1]},
        "report": {},
    }


@pytest.fixture
def write(content, tmp_path):
    """The study as a file, some of its top keys replaced."""

    def file(**changes) -> Path:
        path = tmp_path / "params.yaml"
        path.write_text(yaml.safe_dump(content | changes), encoding="utf-8")
        return path

    return file


@pytest.fixture
def make_study(content, tmp_path):
    """The study in memory, some of its top keys replaced."""

    def make(**changes) -> Study:
        text = yaml.safe_dump(content | changes)
        return Study(check_parameters(yaml.safe_load(text), "params.yaml"), root=tmp_path)

    return make
