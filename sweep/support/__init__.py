"""What every room may use: names of files, passwords, a person's code, TensorFlow's loading."""
