"""The demo through SLURM: minutes, and the claim that it is there to show."""

import pandas as pd
from cluster_study import ROOT, make_study


def test_the_demo_shows_the_convolutional_gap(tmp_path, cluster):
    study = make_study(tmp_path / "study", cluster, ROOT / "presets/demo.yaml")
    study.start("--jobs", "2")
    study.longest_s = 1800
    study.finish()
    models = pd.read_csv(study.folder / "results/demo/comparison/models.csv")
    accuracy = models[models.arm == "logits"].groupby("family").accuracy.mean()
    without, with_convolution = accuracy.filter(like="mlp").max(), accuracy.filter(like="conv").min()
    assert with_convolution > without + 0.1
    assert (study.folder / "report.html").exists()
