"""Any file of the study can be asked for: it is made with what it needs, and no more."""


def test_one_model_and_what_it_needs(fresh):
    assert fresh.planned("results/small/students/conv1-20k-logits-s1/model.safetensors") == {
        "data": 1, "teacher": 2, "ensemble": 1, "logits": 1, "train_students": 1, "student": 1,
    }  # fmt: skip
    target = "results/small/students/conv1-20k-labels-s1/model.safetensors"
    assert fresh.planned(target) == {"data": 1, "train_students": 1, "student": 1}
    fresh.run("snakemake", target)
    assert set(fresh.records()) == {"data/data", "student/conv1-20k-labels-s1"}
    assert fresh.planned(target) == {}
