"""`make bench`: its arithmetic by hand, that its yardstick computes the same, and a small run end to end."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmarks import clocks, page, programs, reference, sections, subjects, tables
from benchmarks.__main__ import main
from benchmarks.clocks import Seconds
from benchmarks.training import epoch_flops
from mimic.data.augment import Augmenter
from mimic.data.image_parameters import Augmentation
from mimic.nets import layers as nets

NET = (nets.Conv(4, kernel=3), nets.ReLU(), nets.Pool(2), nets.Flatten(), nets.Linear(10))
MULTIPLY_ADDS = 4 * 3 * 9 * 32 * 32 + 4 * 16 * 16 * 10


@pytest.fixture
def subject():
    mlp = subjects.subjects()["mlp1"]
    return subjects.Subject("tiny", "tiny", mlp.task.model_copy(update={"net": NET, "batch_size": 128}))


def test_operations_are_two_a_multiply_add_and_three_passes_where_trained(subject):
    assert subject.multiply_adds == MULTIPLY_ADDS
    assert subjects.flops(10, trained=7, predicted=5) == 2 * 10 * (3 * 7 + 5)
    # 80 images are trained on, and a validation set of 10 is looked at twice.
    assert epoch_flops([subject, subject], 80) == 2 * (2 * MULTIPLY_ADDS * (3 * 80 + 2 * 10))


def test_an_epoch_has_whole_batches_between_the_least_and_the_most(subject):
    an_image = epoch_flops([subject], 1000) / 1000
    effort = sections.Effort(repetitions=1, operations=600 * an_image, least=256, images=1024)
    assert sections.suitable([subject], effort) == 640  # batches of 128
    assert sections.suitable(10 * [subject], effort) == 256
    assert sections.suitable([subject], replace(effort, operations=9999 * an_image)) == 1024


def test_the_subjects_are_three_teachers_and_all_families_of_a_million():
    found = subjects.subjects()
    assert [*found][:3] == ["teacher-laptop", "teacher-night", "teacher-paper"]
    assert {"mlp1", "mlp5", "conv1", "conv4"} < {*found}
    for name in [*found][3:]:
        assert abs(nets.count(found[name].task.net, 3, 32) - 1e6) < 5e3
    kinds = [type(layer) for layer in found["teacher-laptop"].task.net]
    assert kinds[:4] == [nets.Whitening, nets.ReLU, nets.Conv, nets.Pool]


def test_a_share_is_of_the_peak_of_its_own_repetition(monkeypatch):
    peaks = iter([Seconds(wall=100, processor=200), Seconds(wall=50, processor=100)])
    taken = iter([Seconds(wall=4, processor=2), Seconds(wall=8, processor=2)])
    monkeypatch.setattr(sections, "matrix_product_flops", lambda: next(peaks))
    monkeypatch.setattr(sections, "timed", lambda work: next(taken))
    shares = sections.Shares()
    for _ in range(2):
        shares.measure(lambda: None)
    assert shares.of(100, "wall") == [100 / 4 / 100, 100 / 8 / 50]
    assert shares.of(100, "processor") == [100 / 2 / 200, 100 / 2 / 100]
    assert shares.rates(10) == [5, 5]


def test_ratios_pair_repetitions_and_a_cell_shows_their_spread():
    assert clocks.ratios([6, 9, 8], [2, 3, 4]) == [3, 3, 2]
    assert clocks.spread([3, 1, 2, 4]) == (1, 2.5, 4)
    table = tables.Table("Title", "Note.", {"x": "ratio", "n": "rate", "none": "share"})
    table.add("row", [0.5, 0.25, 1.0], 1234.5678, [])
    assert table.rows == {"row": [[0.5, 0.25, 1.0], [1235.0], []]}
    assert "| row | 0.50 (0.25 to 1.00) | 1,235 |    - |" in table.markdown()


def test_processor_time_counts_children():
    busy = [sys.executable, "-c", "import time\nwhile time.process_time() < 0.2: pass"]
    assert clocks.timed(lambda: subprocess.run(busy, check=True)).processor > 0.1


def test_a_program_s_memory_is_its_own_and_not_of_who_starts_it(tmp_path):
    held = np.ones(400 * 2**20, dtype=np.uint8)  # by this process
    hundred = "b'x' * (100 * 2**20)"
    assert 100 < programs.peak_memory(tmp_path, sys.executable, "-c", hundred) < 200 < held.nbytes / 2**20


def test_a_program_that_fails_is_told_with_its_output(tmp_path):
    with pytest.raises(RuntimeError, match=r"exit status 3\nwhy"):
        programs.run(tmp_path, sys.executable, "-c", "print('why'); raise SystemExit(3)")


def test_the_augmentation_of_the_yardstick_gives_the_same_images():
    asked, augmenter = Augmentation(), Augmenter(Augmentation(), 32)
    images = np.random.default_rng(0).integers(0, 256, (8, 3, 32, 32), dtype=np.uint8)
    images[0] = 0
    draws = augmenter.draws(8, 1, "test", 0)
    theirs = [reference.augmented(*pair, asked) for pair in zip(images, draws.numpy(), strict=True)]
    ours = augmenter(torch.from_numpy(images), draws)
    np.testing.assert_allclose(ours.numpy(), theirs, rtol=0, atol=0.02)


@pytest.mark.parametrize("name", ["teacher-laptop", "teacher-paper", "mlp2", "conv1"])
def test_the_net_of_the_yardstick_has_the_same_weights(name):
    subject = subjects.subjects()[name]
    net = reference.net_of(subject.task.net, 32)
    learnt = sum(weight.numel() for weight in net.parameters() if weight.requires_grad)
    assert learnt == nets.count(subject.task.net, 3, 32)
    assert net(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_a_quick_run_of_one_net_prints_and_writes_its_figures(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("MIMIC_DEVICE", "cpu")
    assert main(["--quick", "--only", "mlp1", "--json", str(tmp_path / "run.json")]) == 0
    run = json.loads((tmp_path / "run.json").read_text())
    (table,) = run["tables"]
    (cells,) = table["rows"].values()
    assert table["title"] == "Training" and not run["full"]
    shares, ratios = cells[3], cells[5]
    assert len(shares) == len(ratios) == 2  # repetitions
    assert all(0 < share < 1 for share in shares) and all(ratio > 0 for ratio in ratios)
    printed = capsys.readouterr().out
    assert "mlp1, 1M" in printed and "torch" in printed
    assert run["command"] == f'make bench ARGS="--quick --only mlp1 --json {tmp_path / "run.json"}"'


def test_only_a_full_run_is_written_into_the_documentation(capsys):
    with pytest.raises(SystemExit):
        main(["--quick", "--write"])
    assert "leave out --quick" in capsys.readouterr().err


def test_the_page_shows_the_last_full_run():
    assert page.PAGE.read_text() == page.render(page.last()), "`python -m benchmarks.page` writes it anew"
    assert page.PAGE.read_text().count("## What was tried") == 1
