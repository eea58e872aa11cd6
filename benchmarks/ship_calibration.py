"""Put the calibration of a finished stress test into the package, for audits without a zoo.

superalign stress --size standard --out runs/zoo
python benchmarks/ship_calibration.py runs/zoo

The stress test must be of SmolLM2-135M-Instruct, the model for which a calibration is shipped.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from superalign.validation.verdict import Calibration, shipped

DIGITS = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("zoo", type=Path)
    zoo: Path = parser.parse_args().zoo
    for name, with_base in (("calibration.json", True), ("calibration-no-base.json", False)):
        full = Calibration.load(zoo / name)
        rows = tuple(
            {k: None if v is None else round(v, DIGITS) for k, v in row.items()}
            for row in full.clean
        )
        path = shipped(with_base)
        Calibration(full.shape, full.battery, full.with_base, rows).save(path)
        print(f"{path}: {len(rows)} clean twins")


if __name__ == "__main__":
    main()
