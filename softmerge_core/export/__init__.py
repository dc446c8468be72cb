"""Networks to take along: weights files, a script that loads them without this project, and a card that tells all."""
