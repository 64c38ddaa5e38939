"""The seam: the one place where the control plane reaches the workers of the fast path."""

from __future__ import annotations

from ...fastpath.messages import *
