"""Run a notebook without Jupyter: `python tools/run_notebook.py docs/tutorial.ipynb` puts what it shows into it."""

from __future__ import annotations

import ast
import base64
import contextlib
import json
import sys
from io import StringIO
from pathlib import Path
from typing import Any

from reid.common import atomic


def execute(notebook: dict[str, Any]) -> None:
    """Run the code cells one after the other in one namespace, and replace their outputs by what they print and show.

    Args:
        notebook: its JSON, changed in place. Where the last line of a cell is a picture of Pillow, it is shown.

    Raises:
        Exception: what a cell raises.
    """
    names = {"__name__": "notebook"}
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        body = ast.parse("".join(cell["source"])).body
        last = ast.Expression(body.pop().value) if isinstance(body[-1], ast.Expr) else None
        with contextlib.redirect_stdout(StringIO()) as printed:
            exec(compile(ast.Module(body, []), "cell", "exec"), names)
            value = eval(compile(last, "cell", "eval"), names) if last else None
        cell["outputs"] = []
        if text := printed.getvalue():
            cell["outputs"].append({"output_type": "stream", "name": "stdout", "text": text.splitlines(keepends=True)})
        if value is not None:
            data = {"image/jpeg": base64.b64encode(value._repr_jpeg_()).decode()}
            cell["outputs"].append({"output_type": "display_data", "data": data, "metadata": {}})


if __name__ == "__main__":
    path = Path(sys.argv[1]).resolve()
    content = json.loads(path.read_text(encoding="utf-8"))
    execute(content)
    atomic.write(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
