"""Pages as they are looked at: in which sizes, with which browser, what went wrong in them, and what is true of every page."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Response

PICTURES = Path(__file__).parents[2] / "test-results" / "browser"
SERIOUS = {"serious", "critical"}
CHROMIUM = ("chromium", "google-chrome", "chromium-browser")
OPTIONS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
]
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


def check_fits(page: Page) -> None:
    """Nobody has to scroll sideways."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.evaluate(
        """[...document.querySelectorAll("main *, header *, footer *")]
             .filter(each => each.getBoundingClientRect().right > window.innerWidth && !each.closest(".scroll"))
             .map(each => each.outerHTML.slice(0, 120))"""
    )


def check_accessible(page: Page) -> None:
    """Axe finds nothing serious."""
    violations = Axe().run(page).response["violations"]
    serious = [violation for violation in violations if violation["impact"] in SERIOUS]
    assert not serious, [(violation["id"], [node["html"][:160] for node in violation["nodes"][:5]]) for violation in serious]


@dataclass
class Watched:
    """What went wrong in a page."""

    expected_statuses: set[int] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Listen to the page."""
        page.on("console", lambda message: self._note(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self._note(str(error)))
        page.on("response", self._look)

    def _note(self, text: str) -> None:
        if not (
            "Failed to load resource" in text and self.expected_statuses
        ):  # the browser's words for an answer we look at ourselves
            self.errors.append(text)

    def _look(self, answer: Response) -> None:
        if answer.status >= 400 and answer.status not in self.expected_statuses:
            self.errors.append(f"{answer.status} {answer.url}")
