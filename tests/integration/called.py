"""After all other tests: whether each published method was called with success at least once. `called.py clear` comes before them."""
import json
import os
import pathlib
import shutil
import sys

called = pathlib.Path(os.environ["ASSIST_BUILD"]) / "called"
if sys.argv[1:] == ["clear"]:
    shutil.rmtree(called, ignore_errors=True)
    sys.exit()
document = json.loads((pathlib.Path(__file__).parents[2] / "docs/reference/openrpc.json").read_text())
never = [method["name"] for method in document["methods"] if not (called / method["name"]).exists()]
if never:
    sys.exit(f"no test got a result of: {', '.join(never)}")
print(f"{len(document['methods'])} methods, each was called")
