"""Runs the notebooks without Jupyter: `python notebooks/run.py` runs all of them, `--write` keeps what they print and draw.

A cell is executed as Jupyter would: what it prints and the figures it leaves are its outputs. A cell with the tag `varies` prints what another
release of a library may print differently; of all others a run that prints something else than what is kept fails.
"""

import argparse
import ast
import base64
import contextlib
import io
import json
import pathlib
import sys
import traceback

HERE = pathlib.Path(__file__).resolve().parent
DPI = 64


def notebooks():
    """All notebooks in the order of their numbers."""
    return sorted(HERE.glob("[0-9][0-9]_*.ipynb"))


def execute(path):
    """The notebook with the outputs of this run."""
    import matplotlib

    matplotlib.use("Agg")
    book = json.loads(path.read_text(encoding="utf-8"))
    names = {"__name__": "__main__"}
    if str(HERE) not in sys.path:
        sys.path.insert(0, str(HERE))
    count = 0
    for cell in book["cells"]:
        if cell["cell_type"] != "code":
            continue
        count += 1
        cell["execution_count"] = count
        cell["outputs"] = _cell("".join(cell["source"]), f"{path.name} cell {count}", names)
    return book


def _cell(source, name, names):
    import matplotlib.pyplot as plt

    said = io.StringIO()
    tree = ast.parse(source, name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(said):
        exec(compile(tree, name, "exec"), names)
        value = None if last is None else eval(compile(ast.Expression(last.value), name, "eval"), names)
    outputs = []
    if said.getvalue():
        outputs.append({"output_type": "stream", "name": "stdout", "text": said.getvalue().splitlines(keepends=True)})
    for number in plt.get_fignums():
        image = io.BytesIO()
        plt.figure(number).savefig(image, format="png", dpi=DPI, bbox_inches="tight", metadata={"Software": None})
        data = {"image/png": base64.b64encode(image.getvalue()).decode(), "text/plain": ["<Figure>"]}
        outputs.append({"output_type": "display_data", "data": data, "metadata": {}})
    plt.close("all")
    if value is not None and not isinstance(value, (list, tuple)):
        outputs.append({"output_type": "execute_result", "execution_count": None, "metadata": {}, "data": {"text/plain": [repr(value)]}})
    return outputs


def printed(book):
    """What the cells print that prints the same everywhere, by number; and how many figures each draws."""
    found = {}
    code = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    for number, cell in enumerate(code, 1):
        text = "".join("".join(o["text"]) for o in cell["outputs"] if o["output_type"] == "stream")
        figures = sum(o["output_type"] == "display_data" for o in cell["outputs"])
        varies = "varies" in cell["metadata"].get("tags", [])
        found[number] = (None if varies else text, figures)
    return found


def write(path, book):
    """Keeps a notebook as Jupyter would write it."""
    path.write_text(json.dumps(book, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=pathlib.Path, help="without it all of them")
    parser.add_argument("--write", action="store_true", help="keep the outputs in the notebooks")
    args = parser.parse_args()
    failed = 0
    for path in args.notebooks or notebooks():
        try:
            book = execute(path)
        except Exception:
            traceback.print_exc()
            failed += 1
            continue
        kept = json.loads(path.read_text(encoding="utf-8"))
        same = printed(book) == printed(kept)
        if args.write:
            write(path, book)
        print(f"{path.name}: {'as kept' if same else 'written' if args.write else 'prints something else than what is kept'}")
        failed += not (same or args.write)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
