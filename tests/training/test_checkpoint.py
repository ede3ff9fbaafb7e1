import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mimic.training import checkpoint

KEY = "0123abcd"
STATE = {"step": 3, "best_error": 0.1 + 0.2, "stop": None, "history": [{"epoch": 1, "train_loss": 1e-300}]}


@pytest.fixture
def tensors():
    torch.manual_seed(0)
    return {
        "net.weight": torch.randn(4, 3, 5, 5).to(memory_format=torch.channels_last),
        "net.count": torch.tensor(7),
        "loss_sum": torch.tensor(1 / 3, dtype=torch.float64),
        "net.lost": torch.tensor([float("nan"), float("inf"), -0.0]),
    }


def load(path, key=KEY):
    said = []
    return checkpoint.load(path, key, said.append), said


def same_bits(one: torch.Tensor, other: torch.Tensor) -> bool:
    flat, other_flat = (tensor.contiguous().reshape(-1).view(torch.uint8) for tensor in (one, other))
    return one.dtype == other.dtype and one.shape == other.shape and torch.equal(flat, other_flat)


def test_what_was_saved_comes_back_to_the_bit(tmp_path, tensors):
    checkpoint.save(tmp_path / "c", KEY, tensors, STATE)
    loaded, said = load(tmp_path / "c")
    assert loaded.state == STATE and said == []
    assert loaded.tensors.keys() == tensors.keys()
    assert all(same_bits(loaded.tensors[name], tensors[name]) for name in tensors)


def test_without_a_file_there_is_nothing_to_say(tmp_path):
    assert load(tmp_path / "c") == (None, [])


def test_a_checkpoint_of_another_training_is_passed_over_with_a_word(tmp_path, tensors):
    checkpoint.save(tmp_path / "c", KEY, tensors, STATE)
    loaded, said = load(tmp_path / "c", key="another")
    assert loaded is None
    assert said == [f"{tmp_path / 'c'}: belongs to another training (key {KEY}); starting anew"]


@pytest.mark.parametrize("content", [b"", b"not safetensors at all", b"\0" * 100])
def test_a_file_that_is_no_checkpoint_is_passed_over_with_a_word(tmp_path, content):
    (tmp_path / "c").write_bytes(content)
    loaded, said = load(tmp_path / "c")
    assert loaded is None
    assert len(said) == 1 and "damaged" in said[0]


@given(data=st.data())
@settings(max_examples=150)
def test_damage_anywhere_is_noticed(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("damage") / "c"
    checkpoint.save(path, KEY, {"a": torch.arange(3.0), "b": torch.tensor(2)}, STATE)
    content = bytearray(path.read_bytes())
    position = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans(), label="cut off"):
        content = content[:position]
    else:
        content[position] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    loaded, said = load(path)
    if loaded is None:
        assert len(said) == 1
    else:  # a byte that says nothing, such as the blanks after safetensors' header
        assert loaded.state == STATE
        assert torch.equal(loaded.tensors["a"], torch.arange(3.0)) and loaded.tensors["b"] == 2


def test_the_last_checkpoint_replaces_the_one_before_and_leaves_no_other_file(tmp_path, tensors):
    for step in (1, 2):
        checkpoint.save(tmp_path / "c", KEY, tensors, {"step": step})
    assert load(tmp_path / "c")[0].state == {"step": 2}
    assert [path.name for path in tmp_path.iterdir()] == ["c"]
