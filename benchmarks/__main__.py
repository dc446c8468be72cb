"""``python -m benchmarks`` makes the report of all benchmarks."""

import sys

from benchmarks.report import main

if __name__ == "__main__":
    sys.exit(main())
