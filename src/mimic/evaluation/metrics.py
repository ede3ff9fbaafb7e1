"""How good predictions are. All from logits_NK (finite, any float type) and labels_N (integers 0..K-1).

A prediction is the class of the largest logit; of equal ones, the first.
"""

import numpy as np


def log_softmax(logits_NK: np.ndarray) -> np.ndarray:
    """Log-probabilities [N, K] in float64; large logits neither overflow nor vanish."""
    logits_NK = np.asarray(logits_NK, np.float64)
    return logits_NK - np.logaddexp.reduce(logits_NK, axis=1, keepdims=True)


def accuracy(logits_NK: np.ndarray, labels_N: np.ndarray) -> float:
    """The fraction of images predicted rightly."""
    return float((logits_NK.argmax(axis=1) == labels_N).mean())


def nll(logits_NK: np.ndarray, labels_N: np.ndarray) -> float:
    """Negative log-likelihood of the labels (cross-entropy), mean per image in nats."""
    return float(-log_softmax(logits_NK)[np.arange(len(labels_N)), labels_N].mean())


def confidence(logits_NK: np.ndarray) -> np.ndarray:
    """The probability of the predicted class, of each image."""
    return np.exp(log_softmax(logits_NK).max(axis=1))


def confidence_bins(confidence_N: np.ndarray, bins: int) -> np.ndarray:
    """The bin of each image, from 0. Bin m of M (from 1) holds the confidences in ((m-1)/M, m/M]."""
    return np.digitize(confidence_N, np.arange(1, bins) / bins, right=True)


def ece(logits_NK: np.ndarray, labels_N: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error (Guo et al. 2017): the mean over images of |accuracy - confidence| of the
    image's bin of confidence, of equal widths.
    """
    confidence_N, correct_N = confidence(logits_NK), logits_NK.argmax(axis=1) == labels_N
    bin_N = confidence_bins(confidence_N, bins)
    return float(np.abs(np.bincount(bin_N, correct_N - confidence_N)).sum() / len(labels_N))


def agreement(logits_NK: np.ndarray, reference_NK: np.ndarray) -> float:
    """The fraction of images for which model and reference predict the same class."""
    return float((logits_NK.argmax(axis=1) == reference_NK.argmax(axis=1)).mean())


def divergence(logits_NK: np.ndarray, reference_NK: np.ndarray) -> np.ndarray:
    """Kullback-Leibler divergence KL(reference || model) of each image, nats."""
    log_model_NK, log_reference_NK = log_softmax(logits_NK), log_softmax(reference_NK)
    return (np.exp(log_reference_NK) * (log_reference_NK - log_model_NK)).sum(axis=1)


def kl(logits_NK: np.ndarray, reference_NK: np.ndarray) -> float:
    """Kullback-Leibler divergence KL(reference || model), mean per image in nats."""
    # rounding may carry it just below zero
    return max(float(divergence(logits_NK, reference_NK).mean()), 0.0)


def disagreements(logits_NK: np.ndarray, reference_NK: np.ndarray, number: int) -> np.ndarray:
    """The images for which model and reference predict different classes: those of the largest divergence,
    `number` at most, the largest first.
    """
    differs_N = logits_NK.argmax(axis=1) != reference_NK.argmax(axis=1)
    order_N = np.argsort(-divergence(logits_NK, reference_NK), kind="stable")
    return order_N[differs_N[order_N]][:number]
