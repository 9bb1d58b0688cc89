"""Opens a page of `analyze` or `study` in headless Chromium, as wide as a desktop (1280) and a phone (390), in light and dark.

    apt-get install chromium
    python3 -m venv web && web/bin/pip install playwright axe-core-python
    web/bin/python launch/verification/page.py DIR/report.html [DIRECTORY FOR SCREENSHOTS]

Prints a line for each of the four, and exits with 1 if the browser's console has a message, if the page asks for anything but itself,
if something is wider than the page, if a text of a figure is cut off, or if axe-core finds a violation of accessibility.
"""
import pathlib
import sys

import axe_core_python
from playwright.sync_api import sync_playwright

AXE = pathlib.Path(axe_core_python.__file__).parent / "axe.min.js"

# What is hidden, or scrolls by itself, may be wider.
WIDER = """() => {
    const width = document.documentElement.clientWidth, found = [];
    if (document.documentElement.scrollWidth > width) found.push("the page scrolls sideways");
    for (const element of document.querySelectorAll("body *")) {
        if (element.closest(".scroll, .hidden, .skip, details:not([open]) > :not(summary)")) continue;
        const box = element.getBoundingClientRect();
        if (box.width && (box.right > width + 1 || box.left < -1))
            found.push(element.tagName + " " + (element.textContent || "").slice(0, 40));
    }
    return found;
}"""
CUT = """() => [...document.querySelectorAll("svg text")].filter(text => {
    const outer = text.ownerSVGElement.getBoundingClientRect(), own = text.getBoundingClientRect();
    return own.left < outer.left - 1 || own.right > outer.right + 1 || own.top < outer.top - 1 || own.bottom > outer.bottom + 1;
}).map(text => text.closest("figure").id + ": " + text.textContent)"""
VIOLATIONS = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.map(
    found => found.id + " (" + found.impact + "): " + found.nodes[0].html.slice(0, 120))"""


def look(browser, url, width, scheme, screenshots):
    """What is wrong with the page in one setting, as a list of sentences."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page, wrong = context.new_page(), []
    page.on("console", lambda message: wrong.append("console: " + message.text))
    page.on("pageerror", lambda error: wrong.append("error: " + str(error)))
    page.on("request", lambda request: request.url in (url, "data:,") or wrong.append("request: " + request.url))
    page.goto(url)
    wrong += ["wider than the page: " + text for text in page.evaluate(WIDER)]
    wrong += ["cut off: " + text for text in page.evaluate(CUT)]
    if screenshots:
        page.screenshot(path=str(screenshots / f"{width}-{scheme}.png"), full_page=True)
    page.add_script_tag(path=str(AXE))
    wrong += ["axe: " + text for text in page.evaluate(VIOLATIONS)]
    figures = page.evaluate("() => document.querySelectorAll('figure').length")
    context.close()
    return figures, wrong


def main():
    page = pathlib.Path(sys.argv[1]).resolve()
    screenshots = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
    if screenshots:
        screenshots.mkdir(parents=True, exist_ok=True)
    failed = False
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        print(f"Chromium {browser.version}, {AXE.read_text()[:60].split('|')[0].strip('/*! ')}")
        for width in (1280, 390):
            for scheme in ("light", "dark"):
                figures, wrong = look(browser, page.as_uri(), width, scheme, screenshots)
                print(f"{width} {scheme}: {figures} figures, {len(wrong)} findings")
                for sentence in wrong:
                    print("    " + sentence)
                failed = failed or bool(wrong) or figures == 0
        browser.close()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
