"""`python -m kohl` is the command `kohl`."""

import sys

from kohl.cli import main

if __name__ == "__main__":
    sys.exit(main())
