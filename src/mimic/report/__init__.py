"""From the evaluated models of a study to the page that everybody reads."""
