"""`python -m bench.simulate`: runs everything and renews plots, results and tables of the page."""

import argparse
import json
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path

from docs.page import with_tables

from .plots import draw
from .series import simulate
from .summary import summary
from .tables import tables

SEED = 1
CLIENTS = 100_000

_DOCS = Path(__file__).parents[2] / "docs"


def main() -> int:
    """Run, and write what came of it."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.simulate",
        description="Simulates failures and storms, and renews docs/scaling.md and its plots.",
    )
    parser.add_argument(
        "--seed", type=int, default=SEED, help="what chance comes from (%(default)s)"
    )
    parser.add_argument(
        "--clients",
        type=int,
        default=CLIENTS,
        help="clients of the simulated app (%(default)s)",
    )
    parser.add_argument(
        "--out", type=Path, default=_DOCS / "scaling", help="folder of plots and results"
    )
    options = parser.parse_args()
    started = time.perf_counter()
    run(options.seed, options.clients, options.out)
    print(f"{options.out}: {time.perf_counter() - started:.0f} s")
    return 0


def run(seed: int, clients: int, folder: Path) -> None:
    """Simulate, and write plots, `results.json`, and the page's tables beside the folder.

    Args:
        seed: What chance comes from.
        clients: Clients of the simulated app.
        folder: Where plots and results go. The page is `scaling.md` beside it, if there is one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    series = simulate(seed, clients)
    draw(series, folder)
    results = summary(series)
    about = {
        "seed": seed,
        "clients": clients,
        "versions": {
            "python": platform.python_version(),
            "numpy": version("numpy"),
            "matplotlib": version("matplotlib"),
        },
    }
    text = json.dumps({**about, "results": results}, indent=1, ensure_ascii=False)
    (folder / "results.json").write_text(f"{text}\n")
    page = folder.with_suffix(".md")
    if page.exists():
        page.write_text(with_tables(page.read_text(), tables(results)))


if __name__ == "__main__":
    sys.exit(main())
