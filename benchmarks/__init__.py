"""How fast mimic is, side by side with the machine's peak and with the field's way."""
