"""Grade an exercise: ``python grade.py EXERCISE [--jobs N] [--full]``.

Each file in ``EXERCISE/submissions`` defines one function. Of exercises 1 to 3 it is one step of a
Gibbs sampler, which is put into a correct one; of exercise 4 it is the whole sweep.
"""

import argparse
import tempfile
from pathlib import Path

from gmmcompare.lessons.course import EXERCISES
from gmmcompare.validation import grade

SWEEP = """

from gmmcompare.lessons.course.reference import sweep_with


def graded_sweep(w, mu, sigma, y, priors, rng):
    return sweep_with({step}, "{step}", w, mu, sigma, y, priors, rng)
"""


def main() -> None:
    """Read the arguments, grade, and print the feedback."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("exercise", type=Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--full", action="store_true", help="minutes each, and smaller errors")
    given = parser.parse_args()
    step = EXERCISES[given.exercise.resolve().name]
    submissions = sorted((given.exercise / "submissions").glob("*.py"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in submissions:
            text = path.read_text(encoding="utf-8")
            if step != "sweep":
                text += SWEEP.format(step=step)
            (folder / path.name).write_text(text, encoding="utf-8")
        table = grade(
            folder,
            given.exercise / "grades.csv",
            function="sweep" if step == "sweep" else "graded_sweep",
            quick=not given.full,
            jobs=given.jobs,
        )
    print(table.read_text(encoding="utf-8"), end="")


if __name__ == "__main__":
    main()
