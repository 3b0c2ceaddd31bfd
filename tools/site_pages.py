"""The pages of the documentation site, a hook of mkdocs.yml: files of the project, under their own paths.

So links between files are links between pages, and nothing is written twice. README.md becomes a page for each of its
sections, the tutorial a page of its cells, and all pictures a gallery.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from posixpath import dirname, join, normpath, relpath
from typing import Any

PAGES = (
    "docs/*.md",
    "docs/methods/*.md",
    "*.md",
    "data/README.md",
    "data/pretrained/*/README.md",
    "benchmarks/README.md",
)
FILES = (
    "docs/*.css",
    "docs/*.js",
    "docs/evidence/*",
    "docs/images/*",
    "data/pretrained/*/*.jpg",
    "profiles/*",
    "params.yaml",
)
GALLERY = "docs/gallery.md"
PICTURE = re.compile(r"!\[([^\]]*)\]\(([\w./-]+)\)")


def on_files(files: Any, config: Any) -> Any:
    """Replace what MkDocs found in docs/ by `pages` and FILES."""
    from mkdocs.structure.files import File, Files

    root = Path(config.config_file_path).parent
    made = [File.generated(config, name, content=text) for name, text in pages(root).items()]
    copied = [
        File(path.relative_to(root).as_posix(), str(root), config.site_dir, config.use_directory_urls)
        for pattern in FILES
        for path in sorted(root.glob(pattern))
    ]
    return Files([*made, *copied, *(file for file in files if file.src_dir != config.docs_dir)])


def pages(root: Path) -> dict[str, str]:
    """Text of each page in Markdown, by its path, which links in it are relative to."""
    paths = [path for pattern in PAGES for path in sorted(root.glob(pattern))]
    texts = {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    texts |= sections(texts["README.md"])
    for path in sorted(root.glob("docs/*.ipynb")):
        name = path.relative_to(root).with_suffix(".md").as_posix()
        texts[name] = notebook(json.loads(path.read_text(encoding="utf-8")))
    texts = {
        name: text.replace(".ipynb)", ".md)") for name, text in texts.items()
    }  # links to a notebook are to its page
    return texts | {GALLERY: gallery(texts)}


def sections(readme: str) -> dict[str, str]:
    """A page for each part of README.md: README.md what is before its sections, and each section by its title."""
    first, *rest = re.split(r"^## (.+)\n", readme, flags=re.MULTILINE)
    titles = {re.sub(r"\W+", "-", title.lower()).strip("-"): title for title in rest[::2]}
    return {"README.md": first} | {
        f"{name}.md": f"# {title}\n{text}" for (name, title), text in zip(titles.items(), rest[1::2], strict=True)
    }


def notebook(content: dict[str, Any]) -> str:
    """A notebook's cells: text as it is, code and what it printed as code, pictures in the text."""
    parts = []
    for cell in content["cells"]:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```")
        for output in cell.get("outputs", []):
            if output["output_type"] == "stream":
                parts.append(f"```text\n{''.join(output['text'])}```")
            elif "image/jpeg" in output["data"]:
                data = "".join(output["data"]["image/jpeg"].split())
                parts.append(f"![What the cell above shows](data:image/jpeg;base64,{data})")
    return "\n\n".join(parts) + "\n"


def gallery(texts: dict[str, str]) -> str:
    """A page of the pictures of all other pages, each with its description and the page that it is on."""
    lines = ["# Gallery"]
    for page, text in texts.items():
        title = next(line for line in text.splitlines() if line.startswith("# ")).removeprefix("# ")
        for caption, picture in PICTURE.findall(text):
            shown, link = (
                relpath(normpath(join(*path)), dirname(GALLERY)) for path in ((dirname(page), picture), (page,))
            )
            lines.append(f"![{caption}]({shown})\n\n*{caption}: [{title}]({link}).*")
    return "\n\n".join(lines) + "\n"
