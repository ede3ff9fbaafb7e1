"""From image files to the packed image set of a study, and its augmentation."""
