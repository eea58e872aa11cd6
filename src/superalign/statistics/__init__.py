"""Estimates with their n and 95% interval, and the tests that compare them.

Missing is missing: ``None`` among the inputs is dropped and counted in ``Estimate.missing``, never
read as 0. What cannot be computed is ``None`` with a reason; the mean of nothing is undefined.
NaN and infinities raise, since they are the trace of a bug and not of a missing answer.
Bootstrap intervals are seeded, so the same input gives the same interval.
"""

from superalign.statistics.agreement import cohen_kappa
from superalign.statistics.corrected import corrected_success
from superalign.statistics.estimates import (
    Estimate,
    PairedTest,
    bootstrap,
    mcnemar,
    mean,
    mean_difference,
    paired_difference,
    proportion,
    rate,
    sign_test,
)
from superalign.statistics.judges import (
    auroc,
    expected_calibration_error,
    reliability_bins,
    rogan_gladen,
    sensitivity_specificity,
)
from superalign.statistics.survival import area_under_curve, event_curve

__all__ = [
    "Estimate",
    "PairedTest",
    "area_under_curve",
    "auroc",
    "bootstrap",
    "cohen_kappa",
    "corrected_success",
    "event_curve",
    "expected_calibration_error",
    "mcnemar",
    "mean",
    "mean_difference",
    "paired_difference",
    "proportion",
    "rate",
    "reliability_bins",
    "rogan_gladen",
    "sensitivity_specificity",
    "sign_test",
]
