"""An exported winner: write it into a folder, load it to predict."""
