"""The page in a browser: what it draws and fetches, on a phone, in the dark, on paper."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
CHARTS = 18  # three of them of the search that shows
AA = 4.5  # the contrast of text that WCAG 2.2 asks for


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator:
    arguments = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def show(browser):
    """Open a report; the page carries what its console said and what it asked for."""
    pages = []

    def open_page(folder: Path, drawn: bool = True, **options):
        page = browser.new_page(**{"viewport": DESK, **options})
        pages.append(page)
        page.said, page.asked = [], []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto((folder / "report.html").as_uri())
        if drawn:
            page.wait_for_selector("html[data-charts=drawn]")
        return page

    yield open_page
    for page in pages:
        page.close()


@pytest.fixture(params=["paper_report", "small_report"])
def report(request) -> Path:
    return request.getfixturevalue(request.param)


def luminance(colour: str) -> float:
    channels = [int(number) / 255 for number in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(page, selector: str, attribute: str = "color") -> float:
    text = page.eval_on_selector(selector, f"e => getComputedStyle(e).{attribute}")
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    light, dark = sorted((luminance(text), luminance(paper)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_every_chart_is_drawn_without_a_word_and_without_the_network(show, report):
    page = show(report)
    assert page.locator(".chart svg").count() == CHARTS
    assert page.said == []
    assert page.asked == [(report / "report.html").as_uri()]


def test_every_chart_tells_what_it_shows_to_those_who_do_not_see_it(show, report):
    labels = show(report).eval_on_selector_all(
        ".chart[role]", "all => all.map(chart => chart.getAttribute('aria-label'))"
    )
    assert len(labels) == CHARTS
    assert all(labels)


def test_a_phone_scrolls_down_only(show, report):
    page = show(report, viewport=PHONE)
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_by_day_and_by_night(show, small_report, scheme):
    page = show(small_report, color_scheme=scheme)
    paper = luminance(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert paper > 0.9 if scheme == "light" else paper < 0.05
    for selector in (
        "h1",
        ".verdict",
        ".kicker",
        ".rule",
        "figcaption",
        ".facts dt",
        ".published",
        "summary",
        ".diverged",
    ):
        assert contrast(page, selector) >= AA, selector
    for status in ("supported", "contradicted", "undecided", "not-tested"):  # whichever this study has
        page.evaluate("status => document.querySelector('.badge').className = `badge ${status}`", status)
        assert contrast(page, ".badge") >= AA, status
    assert contrast(page, ".chart .role-axis-label text", "fill") >= AA


def test_marks_stand_out_in_both_schemes(show, paper_report):
    for scheme in ("light", "dark"):
        page = show(paper_report, color_scheme=scheme)
        for family in [f"mlp{n}" for n in range(1, 6)] + [f"conv{n}" for n in range(1, 5)]:
            assert contrast(page, f".chip[data-value={family}] i", "backgroundColor") >= 3, (scheme, family)


def opacities(page, family_colour: str) -> set[float]:
    marks = f"[data-chart=figure-1] .mark-symbol path[fill='{family_colour}']"
    return set(
        page.eval_on_selector_all(marks, "all => all.map(m => Number(m.getAttribute('opacity') ?? 1))")
    )


def test_a_family_can_be_seen_alone_and_let_go(show, paper_report):
    page = show(paper_report)
    page.uncheck("input[data-signal=published]")
    chip = page.locator("#figure-1 .chip[data-value=conv2]")
    chip.click()
    page.wait_for_timeout(200)
    assert chip.get_attribute("aria-pressed") == "true"
    assert max(opacities(page, "var(--conv2)")) == 1
    assert max(opacities(page, "var(--mlp1)")) < 0.2
    chip.click()
    page.wait_for_timeout(200)
    assert max(opacities(page, "var(--mlp1)")) == 1


def test_published_figures_can_be_put_away(show, paper_report):
    page = show(paper_report)
    rings = "[data-chart=figure-1] .mark-symbol path[fill=transparent]"
    shown = "all => all.filter(ring => Number(ring.getAttribute('opacity') ?? 1) > 0).length"
    assert page.eval_on_selector_all(rings, shown) == 9 * 4 + 4
    page.uncheck("input[data-signal=published]")
    page.wait_for_timeout(200)
    assert page.eval_on_selector_all(rings, shown) == 0


def test_learning_curves_follow_the_budget(show, paper_report):
    page = show(paper_report)
    before = page.inner_html("[data-chart=student-error]")
    page.select_option("select[data-signal=budget]", "31.6M")
    page.wait_for_timeout(300)
    assert page.inner_html("[data-chart=student-error]") != before


def test_a_student_is_picked_to_see_what_it_confuses_and_disputes(show, small_report):
    page = show(small_report)
    before = page.inner_html("[data-chart=confusion-student]")
    page.select_option("select[data-signal=net]", "mlp1 1M")
    page.wait_for_timeout(300)
    assert page.inner_html("[data-chart=confusion-student]") != before
    assert page.locator(".disputes:visible li").count() == 8
    page.select_option("select[data-shows=disputed]", "mlp1")
    assert page.locator("[data-name=mlp1] .disputes").is_visible()
    assert page.locator(".disputes:visible li").count() == 8
    assert page.said == []


def shown(page) -> list[str]:
    """The searches whose charts can be seen."""
    return page.eval_on_selector_all(
        "[data-panel]",
        "all => all.filter(p => p.offsetHeight > 0 && p.querySelector('svg')).map(p => p.dataset.name)",
    )


def test_one_search_shows_at_a_time(show, paper_report):
    page = show(paper_report)
    assert shown(page) == ["teachers"]
    height = page.locator("#searches").bounding_box()["height"]
    assert height < 1800  # whatever the number of searches
    page.select_option("select[data-shows=searches]", "conv3-10M-logits")
    page.wait_for_selector("[data-chart=conv3-10M-logits-importance] svg")
    assert shown(page) == ["conv3-10M-logits"]
    assert page.said == []


def test_every_trial_is_a_line_through_its_hyperparameters_and_the_best_is_thick(show, small_report):
    lines = show(small_report).eval_on_selector_all(
        "[data-chart=conv2-1M-logits-coordinates] .mark-line path",
        "all => all.map(line => Number(line.getAttribute('stroke-width')))",
    )
    assert len(lines) == 16
    assert lines[-1] == max(lines) and lines.count(max(lines)) == 1  # drawn last, on top


def test_a_single_budget_has_a_row_for_each_family(show, small_report):
    labels = show(small_report).locator("[data-chart=figure-1] .role-axis-label text").all_text_contents()
    families = [text for text in labels if not text.endswith("%")]
    assert families == ["conv4", "conv3", "conv2", "conv1", "mlp2", "mlp1"]


@pytest.mark.parametrize(("ending", "content"), [("svg", "<svg"), ("csv", "family,budget,arm")])
def test_a_chart_can_be_saved(show, small_report, ending, content):
    page = show(small_report)
    with page.expect_download() as download:
        page.click(f"[data-save={ending}][data-of=figure-1]")
    assert download.value.suggested_filename == f"demo-figure-1.{ending}"
    saved = Path(download.value.path()).read_text(encoding="utf-8")
    assert saved.startswith(content) and "var(--" not in saved
    if ending == "svg":  # which has the legend that the page tells otherwise
        assert "role-legend" in saved and "rings: published" in saved
        assert page.locator(".chart .role-legend").count() == 0


def test_a_link_into_a_hidden_panel_shows_it(show, paper_report):
    page = show(paper_report)
    page.evaluate("location.hash = 'search-conv3-10M-logits'")
    page.wait_for_selector("[data-chart=conv3-10M-logits-importance] svg")
    assert shown(page) == ["conv3-10M-logits"]
    assert page.input_value("select[data-shows=searches]") == "conv3-10M-logits"


def test_every_link_of_the_page_leads_somewhere(show, small_report):
    page = show(small_report)
    lost = (
        "all => all.map(a => decodeURIComponent(a.hash.slice(1))).filter(id => !document.getElementById(id))"
    )
    assert page.eval_on_selector_all("a[href^='#']", lost) == []


def test_the_first_screen_has_the_answer_its_figure_and_the_contents(show, paper_report):
    page = show(paper_report)
    for selector in (".contents", ".verdict", ".tally", "[data-chart=figure-1] svg"):
        box = page.locator(selector).bounding_box()
        assert box["y"] + box["height"] <= DESK["height"], selector


def test_the_page_prints(show, paper_report):
    page = show(paper_report, color_scheme="dark")
    assert page.pdf(format="A4").startswith(b"%PDF-")
    page.emulate_media(media="print")
    assert luminance(page.evaluate("getComputedStyle(document.body).backgroundColor")) > 0.9
    assert not page.locator(".chip").first.is_visible()


def test_without_javascript_the_tables_remain(browser, small_report):
    page = browser.new_context(java_script_enabled=False, viewport=DESK).new_page()
    page.goto((small_report / "report.html").as_uri())
    assert page.locator("noscript p").first.is_visible()
    assert not page.locator(".chart").first.is_visible()
    assert page.locator("table.figures").first.is_visible()
    page.context.close()
