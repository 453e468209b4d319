"""The desired state: strict YAML with positions, models of its form, checks of the whole, and what it resolves to."""

from reconciler.desired.problem import Problem, Problems
from reconciler.desired.procedures import load_procedures
from reconciler.desired.read import read_desired
from reconciler.desired.schema import schema_files

__all__ = ["Problem", "Problems", "load_procedures", "read_desired", "schema_files"]
