"""The nets: described as data without torch, solved for a parameter budget, then built in torch."""
