"""Scripts of steps run for real, in both shells."""

from tests.support.sandbox import sandbox

__all__ = ["sandbox"]
