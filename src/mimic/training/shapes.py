"""A check that torch leaves out."""


def check_shapes(fits: bool, logits_NK, targets) -> None:
    """Raise ValueError unless targets fit: torch would broadcast, or take logits for class probabilities."""
    if not fits:
        raise ValueError(f"targets {list(targets.shape)} do not suit logits {list(logits_NK.shape)}")
