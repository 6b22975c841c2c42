"""What is true of every page: it fits, and everybody can use it."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

SERIOUS = {"serious", "critical"}


def check_fits(page: Page) -> None:
    """Nobody has to scroll sideways."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.evaluate(
        """[...document.querySelectorAll("main *, header *, footer *")]
             .filter(each => each.getBoundingClientRect().right > window.innerWidth && !each.closest(".scroll"))
             .map(each => each.outerHTML.slice(0, 120))"""
    )


def check_accessible(page: Page) -> None:
    """Axe finds nothing serious."""
    found = Axe().run(page).response["violations"]
    serious = [each for each in found if each["impact"] in SERIOUS]
    assert not serious, [(each["id"], [node["html"][:160] for node in each["nodes"][:5]]) for each in serious]
