"""mimic: do convolutional nets need to be deep and convolutional? A study that can be rerun."""

__version__ = "0.1.0"
