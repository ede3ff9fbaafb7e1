"""What every optimiser must do, whichever there are, and what each does."""

import contextlib

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mimic.support.interrupt import Interrupted, StopFlag
from mimic.support.parts import parts_of
from mimic.training.fit import fit
from mimic.training.member import Member
from mimic.training.optimisers.adamw import AdamW
from mimic.training.optimisers.muon import Muon, orthogonal
from mimic.training.optimisers.sgd import SGD
from mimic.training.schedules.one_cycle import OneCycle
from mimic.training.trainer import Trainer

OPTIMISERS = {part.__name__: part for part in parts_of("mimic.training.optimisers")}
EPOCHS = 2
RATES = {"AdamW": 0.005}  # others learn at that of the tests


@pytest.fixture(params=OPTIMISERS.values(), ids=OPTIMISERS, scope="session")
def optimiser(request):
    return request.param()


def member(tiny, folder, optimiser, seed=0) -> Member:
    rate = RATES.get(type(optimiser).__name__, 0.02)
    task = tiny.task(
        optimiser=optimiser, learning_rate=rate, weight_decay=0.01, schedule=OneCycle(epochs=EPOCHS)
    )
    net = tiny.net(seed, dropout=0.2, batch_normalisation=True).to(memory_format=torch.channels_last)
    return Member(net, task, folder / optimiser.kind, optimiser.kind, lambda line: None)


def train(tiny, members, stream=None, stop=None) -> dict:
    ended = fit(members, stream or tiny.stream(), tiny.validation(), stop or StopFlag())
    return {done.key: tiny.traces(done.net, result, done.folder, done.key) for done, result in ended}


@given(step=st.integers(1, 4 * EPOCHS))
@settings(max_examples=3)
def test_a_training_ends_with_the_same_bits_interrupted_and_in_company(
    tiny, raised_after, tmp_path_factory, optimiser, step
):
    folder = tmp_path_factory.mktemp("alone")
    alone = train(tiny, [member(tiny, folder, optimiser)])
    folder, companion = tmp_path_factory.mktemp("cohort"), SGD()
    stop = raised_after(tiny.stream(), step)
    with contextlib.suppress(Interrupted):
        train(tiny, [member(tiny, folder, optimiser)], stop.stream, stop)
    # What is not in the checkpoint would begin anew: the net of another seed, the optimiser's state.
    members = [member(tiny, folder, optimiser, seed=9)]
    if optimiser != companion:
        members.append(member(tiny, folder, companion))
    assert train(tiny, members)[optimiser.kind] == alone[optimiser.kind]


def test_training_learns(tiny, tmp_path, optimiser):
    [(_, outcome)] = fit([member(tiny, tmp_path, optimiser)], tiny.stream(), tiny.validation(), StopFlag())
    first, last = outcome.history[0]["validation_loss"], outcome.history[-1]["validation_loss"]
    assert last < first


def steps(optimiser, weights, gradients, number=3) -> dict:
    """The weights after some steps, all with the same gradients."""
    weights = {name: weight.clone() for name, weight in weights.items()}
    state = optimiser.start(weights)
    shapes = {name: tensor.shape for name, tensor in state.items()}
    for _ in range(number):
        optimiser.update(weights, gradients, state, rate=0.1, momentum=0.9, weight_decay=0.02)
    assert {name: tensor.shape for name, tensor in state.items()} == shapes  # as a checkpoint wants it
    return weights


def drawn(*shapes) -> dict:
    generator = torch.Generator().manual_seed(1)
    return {f"w{place}": torch.randn(shape, generator=generator) for place, shape in enumerate(shapes)}


def torchs(kind, weights, gradients, **options) -> dict:
    """What an optimiser of torch's makes of the same."""
    weights = {name: torch.nn.Parameter(weight.clone()) for name, weight in weights.items()}
    its = kind(weights.values(), lr=0.1, weight_decay=0.02, **options)
    for _ in range(3):
        for name, weight in weights.items():
            weight.grad = gradients[name].clone()
        its.step()
    return {name: weight.detach() for name, weight in weights.items()}


SHAPES = (4, 3), (3, 5), (6,)


def test_sgd_is_torch_s():
    weights, gradients = drawn(*SHAPES), {name: w.flip(0) for name, w in drawn(*SHAPES).items()}
    expected = torchs(torch.optim.SGD, weights, gradients, momentum=0.9, nesterov=True)
    for name, weight in steps(SGD(), weights, gradients).items():
        torch.testing.assert_close(weight, expected[name])


def test_adamw_is_torch_s():
    weights, gradients = drawn(*SHAPES), {name: w.flip(0) for name, w in drawn(*SHAPES).items()}
    expected = torchs(torch.optim.AdamW, weights, gradients, betas=(0.9, 0.99), eps=1e-6)
    for name, weight in steps(AdamW(beta2=0.99, epsilon=1e-6), weights, gradients).items():
        torch.testing.assert_close(weight, expected[name])


def test_muon_is_torch_s_for_hidden_matrices_and_adamw_for_the_rest():
    shapes = (*SHAPES, (2, 3))
    weights, gradients = drawn(*shapes), {name: w.flip(0) for name, w in drawn(*shapes).items()}
    found = steps(Muon(other_rate=0.5), weights, gradients)
    matrices = {name: weights[name] for name in ("w0", "w1")}
    expected = torchs(torch.optim.Muon, matrices, gradients, momentum=0.9)
    for name in matrices:
        torch.testing.assert_close(found[name], expected[name], atol=0.02, rtol=0)  # torch's is in bfloat16
    rest = {name: weights[name] for name in ("w2", "w3")}  # a bias, and the output layer
    state = AdamW().start(rest)
    for _ in range(3):
        AdamW().update(rest, {n: gradients[n] for n in rest}, state, 0.05, 0.9, 0.02)
    assert all(torch.equal(found[name], rest[name]) for name in rest)


def test_weight_decay_can_spare_biases_and_norms(tiny, tmp_path, optimiser):
    """In a step without gradients a matrix shrinks and a bias stays; by default both shrink."""
    for decayed, shrinks in (("all", True), ("matrices", False)):
        task = tiny.task(optimiser=optimiser, learning_rate=0.1, weight_decay=0.5, decayed=decayed)
        net = tiny.net(batch_normalisation=True)
        trainer = Trainer(net, task, tiny.device, steps_per_epoch=4)
        before = {name: weight.detach().clone() for name, weight in net.named_parameters()}
        for weight in net.parameters():
            weight.grad = torch.zeros_like(weight)
        trainer._update(0.1)
        for name, weight in net.named_parameters():
            is_smaller = bool((weight.abs() < before[name].abs()).any())
            assert is_smaller == ((weight.ndim > 1 or shrinks) and bool(before[name].any())), (decayed, name)


def test_muon_takes_a_convolution_for_a_matrix_whatever_its_memory_format():
    weights = drawn((4, 3, 2, 2), (2, 4))
    gradients = {name: weight.flip(0) for name, weight in weights.items()}
    flat, flat_gradients = ({n: w.flatten(1) for n, w in tensors.items()} for tensors in (weights, gradients))
    expected = steps(Muon(), flat, flat_gradients)["w0"]
    last = weights | {"w0": weights["w0"].to(memory_format=torch.channels_last)}
    assert torch.equal(steps(Muon(), weights, gradients)["w0"].flatten(1), expected)
    torch.testing.assert_close(steps(Muon(), last, gradients)["w0"].flatten(1), expected)


@pytest.mark.parametrize("shape", [(5, 9), (9, 5), (1, 7), (6, 6)])
def test_the_iteration_brings_every_singular_value_near_one(shape):
    drawn = torch.randn(shape, generator=torch.Generator().manual_seed(2))
    u, _, vh = torch.linalg.svd(drawn, full_matrices=False)
    singular = torch.linspace(0.05, 3, len(vh))
    values = torch.linalg.svdvals(orthogonal(u @ singular.diag() @ vh))
    assert values.min() > 0.6 and values.max() < 1.3
    assert not orthogonal(torch.zeros(shape)).any()
