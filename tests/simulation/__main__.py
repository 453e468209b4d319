"""Runs the simulator: `python -m tests.simulation --seeds N --from S`."""

import sys

from tests.simulation.run import main

sys.exit(main())
