"""What a step of training minimises: the mean over a batch of one number an image."""

from collections.abc import Callable
from functools import partial

from torch import Tensor
from torch.nn import functional

from mimic.training.recipe import KL, L2, Loss


def loss_function(loss: Loss) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss of (logits_NK, targets) that the parameters name: a float32 scalar.

    Targets are logits [N, K] for l2 and kl, and labels [N] for cross-entropy.
    """
    if isinstance(loss, L2):
        return l2
    if isinstance(loss, KL):
        return partial(kl, temperature=loss.temperature)
    return cross_entropy


def l2(logits_NK: Tensor, targets_NK: Tensor) -> Tensor:
    """The squared L2 distance between logits, summed over classes (paper, section 2.1)."""
    _check(logits_NK.shape == targets_NK.shape, logits_NK, targets_NK)
    return (logits_NK - targets_NK).square().sum(dim=1).mean()


def kl(logits_NK: Tensor, targets_NK: Tensor, temperature: float) -> Tensor:
    """KL(softened targets || softened predictions) x T^2, in nats (Hinton et al. 2015)."""
    _check(logits_NK.shape == targets_NK.shape, logits_NK, targets_NK)
    predicted = functional.log_softmax(logits_NK / temperature, dim=1)
    wanted = functional.log_softmax(targets_NK / temperature, dim=1)
    return temperature**2 * functional.kl_div(predicted, wanted, reduction="batchmean", log_target=True)


def cross_entropy(logits_NK: Tensor, labels_N: Tensor) -> Tensor:
    """The negative log-likelihood of the labels, in nats."""
    _check(labels_N.shape == logits_NK.shape[:1], logits_NK, labels_N)
    return functional.cross_entropy(logits_NK, labels_N)


def _check(fits: bool, logits_NK: Tensor, targets: Tensor) -> None:
    # torch would broadcast a wrong shape, or take logits for class probabilities, without a word.
    if not fits:
        raise ValueError(f"targets {list(targets.shape)} do not suit logits {list(logits_NK.shape)}")
