"""Print the size of a package and its dependencies in this environment, as JSON.

usage: installed.py DISTRIBUTION
"""

import json
import re
import sys
from importlib.metadata import distribution
from pathlib import Path


def closure(name, found):
    if name not in found:
        found[name] = distribution(name)
        for line in found[name].requires or ():
            # Dependencies for other systems and versions are not installed.
            needed = re.match(r"[\w.-]+", line).group()
            if "extra ==" not in line and is_here(needed):
                closure(needed, found)
    return found


def is_here(name):
    try:
        return bool(distribution(name))
    except ModuleNotFoundError:
        return False


def bytes_of(files):
    return sum(path.stat().st_size for path in files)


found = closure(sys.argv[1], {})
listed = [Path(file.locate()) for one in found.values() for file in one.files or ()]
files = [path for path in set(listed) if path.is_file()]
print(
    json.dumps(
        {
            "distributions": len(found),
            "bytes": bytes_of(files),
            "bytes_without_bytecode": bytes_of(path for path in files if path.suffix != ".pyc"),
            "bytes_of_libraries": bytes_of(path for path in files if path.suffix == ".so"),
        }
    )
)
