"""Weak-to-strong generalization: students that learn from supervisors weaker than themselves."""
