"""Writes down the code that medaug's own bundles hold, which `inspect_bundle.py` does not list.

python scripts/list_known_code.py           # writes medaug/sharing/known_code.json
python scripts/list_known_code.py --check   # says whether it is stale, and changes nothing
"""

import argparse
import json
import sys
from pathlib import Path

from medaug.files import write_aside
from medaug.sharing.config_code import expressions, logging_fields, targets

ROOT = Path(__file__).parents[1]
PATH = ROOT / "medaug" / "sharing" / "known_code.json"


def known() -> str:
    """Return all expressions, targets and logging fields that the bundles have or had, as JSON."""
    configs = [json.loads(path.read_text("utf-8")) for path in sorted(ROOT.glob("bundles/*/*.json"))]
    logging = [path.read_text("utf-8") for path in sorted(ROOT.glob("bundles/*/logging.conf"))]
    found = {
        "expressions": {text for config in configs for _, text in expressions(config)},
        "targets": {text for config in configs for _, text in targets(config)},
        "logging": {field for text in logging for field in logging_fields(text)},
    }
    before = json.loads(PATH.read_text("utf-8")) if PATH.is_file() else {}
    whole = {kind: sorted(items.union(before.get(kind, ()))) for kind, items in found.items()}
    return json.dumps(whole, indent=1) + "\n"


def main() -> None:
    """Write the list, or check it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true")
    if parser.parse_args().check:
        stale = not PATH.is_file() or PATH.read_text("utf-8") != known()
        sys.exit(f"{PATH.name} is stale: run this script without --check" if stale else 0)
    with write_aside(PATH) as aside:
        aside.write_text(known(), encoding="utf-8")


if __name__ == "__main__":
    main()
