"""What is measured on a model's predictions, and how certain it is."""
