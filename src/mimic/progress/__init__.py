"""How far a study is: what its files tell, what is left by its plan, and how a person reads it."""
