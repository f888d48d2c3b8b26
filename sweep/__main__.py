"""``python -m sweep``: the command line."""

import sys

if __name__ == "__main__":
    # Python puts the folder that one stands in first: a numpy.py there is not to be loaded.
    if not sys.flags.safe_path:
        del sys.path[0]
    from keras_sweep import main

    main()
