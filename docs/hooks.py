"""What `mkdocs build` does besides: pages from the top of the repository, and links to what is no page."""

import re
from pathlib import Path
from posixpath import dirname, join, normpath, relpath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
LINK = re.compile(r"(!?\[([^\]]*)\]\()([^)#:]+)([^):]*\))")  # to a file: no address, no place on the page


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that lie beside docs/."""
    for path, uri in PAGES.items():
        files.append(File.generated(config, uri, content=(ROOT / path).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links of the repository to the site's pages; those to code and folders become plain text.

    With `repo_url` in mkdocs.yml they lead there. A link to what doesn't exist stays, and mkdocs fails.
    """
    here = page.file.src_uri
    source = {uri: path for path, uri in PAGES.items()}.get(here, f"docs/{here}")

    def on_site(link: re.Match[str]) -> str:
        head, text, target, tail = link.groups()
        path = normpath(join(dirname(source), target))
        uri = PAGES.get(path, path.removeprefix("docs/"))
        if files.get_file_from_path(uri):
            return f"{head}{relpath(uri, dirname(here) or '.')}{tail}"
        if not (ROOT / path).exists():
            return link[0]
        return f"{head}{config.repo_url}/blob/main/{path}{tail}" if config.repo_url else text

    return LINK.sub(on_site, markdown)
