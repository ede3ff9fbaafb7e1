"""The demo through SLURM, cut to the nets whose difference it is there to show."""

import pandas as pd
import yaml
from cluster_study import ROOT, make_study

KEPT = {"mlp2", "conv1", "conv2"}


def test_the_demo_shows_the_convolutional_gap(tmp_path, cluster):
    demo = yaml.safe_load((ROOT / "presets/demo.yaml").read_text())
    variants = demo["students"]["variants"]
    demo["students"]["variants"] = {family: variants[family] for family in variants if family in KEPT}
    demo["hard_label_twins"]["variants"] = {}
    demo["search"]["students"] = None
    (tmp_path / "demo.yaml").write_text(yaml.safe_dump(demo))

    study = make_study(tmp_path / "study", cluster, tmp_path / "demo.yaml")
    study.start("--jobs", "2")
    study.longest_s = 1800
    study.finish()
    models = pd.read_csv(study.folder / "results/demo/comparison/models.csv")
    accuracy = models[models.arm == "logits"].groupby("family").accuracy.mean()
    without, with_convolution = accuracy.filter(like="mlp").max(), accuracy.filter(like="conv").min()
    assert with_convolution > without + 0.1
    assert (study.folder / "report.html").exists()
