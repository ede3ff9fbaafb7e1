"""From teachers to targets: which of them form the ensemble, and the logits that students mimic."""
