import json

from mimic.training.outcome import Outcome, Subject, append_history, summary, write_history

SUBJECT = Subject(
    kind="student",
    name="conv2-1M-logits-s1",
    family="conv2",
    budget="1M",
    arm="logits",
    seed=1,
    parameters=1_000_123,
    multiply_adds=1_000_000,
    hyperparameters={"momentum": 0.9, "dropout": {"conv1": 0.1}},
)
EPOCHS = [{"epoch": 1, "train_loss": 1.5}, {"epoch": 2, "train_loss": 0.1 + 0.2}]


def test_the_summary_has_the_documented_fields():
    outcome = Outcome(
        status="finished",
        reason=None,
        stop="budget",
        history=tuple(EPOCHS),
        best_epoch=2,
        validation_accuracy=0.75,
        validation_loss=0.8,
        images=80_000,
        seconds=10.0,
        images_per_second=9000.0,
    )
    assert list(summary(SUBJECT, outcome).items()) == [
        ("status", "finished"),
        ("reason", None),
        ("kind", "student"),
        ("name", "conv2-1M-logits-s1"),
        ("family", "conv2"),
        ("budget", "1M"),
        ("arm", "logits"),
        ("seed", 1),
        ("parameters", 1_000_123),
        ("multiply_adds", 1_000_000),
        ("hyperparameters", {"momentum": 0.9, "dropout": {"conv1": 0.1}}),
        ("epochs", 2),
        ("best_epoch", 2),
        ("validation_accuracy", 0.75),
        ("validation_loss", 0.8),
        ("seconds", 10.0),
        ("images_per_second", 9000.0),
        ("training_flops", 480e9),  # 80,000 images, a million multiply-adds of 2 operations, 3 passes
        ("stop", "budget"),
    ]


def test_a_training_that_diverged_at_once_has_a_record_too():
    outcome = Outcome("diverged", "epoch 1: …", "diverged", (), 0, None, None, 12, 0.1, 120.0)
    record = json.loads(json.dumps(summary(SUBJECT, outcome), allow_nan=False))
    assert (record["status"], record["epochs"], record["validation_accuracy"]) == ("diverged", 0, None)


def test_history_is_a_json_object_a_line_exact_to_the_bit(tmp_path):
    path = tmp_path / "history.jsonl"
    write_history(path, EPOCHS[:1])
    append_history(path, EPOCHS[1])
    assert [json.loads(line) for line in path.read_text().splitlines()] == EPOCHS
    write_history(path, EPOCHS[:1])
    assert path.read_text() == '{"epoch": 1, "train_loss": 1.5}\n'
