"""The live page in a real browser."""
import threading

import pytest
from playwright.sync_api import expect

import recordings
from conftest import await_that


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 800}, {"width": 375, "height": 700}],
                         ids=["desktop", "phone"])
def test_an_execution_is_seen_growing_to_its_end(stack, tmp_path, browser, viewport):
    name = f"page-{viewport['width']}"
    conversation = recordings.conversation(name, 21, turns=6)
    conversation["messages"].append({"role": "assistant", "content": "and this is the last word"})
    file = recordings.write(tmp_path / "page.jsonl", [conversation])
    player = threading.Thread(target=lambda: stack.runcast("play", file, "--speed", 4))
    player.start()
    await_that(lambda: stack.get(f"/v1/executions/{name}")[0] == 200, 60, "the execution to appear")
    page = browser.new_page(viewport=viewport)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: message.type == "error" and errors.append(message.text))
    page.goto(stack.url("/"))
    page.get_by_text(name).first.click()
    expect(page.get_by_text("and this is the last word")).to_be_visible(timeout=60_000)
    expect(page.locator("#badge")).to_have_text("completed", timeout=30_000, ignore_case=True)
    player.join()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "scrolls sideways"
    assert page.evaluate("document.querySelectorAll('script[src], link[href^=http]').length") == 0
    assert errors == []
    page.close()


def test_a_run_that_does_not_exist_yet_is_seen_to_begin(stack, browser):
    page = browser.new_page()
    page.goto(stack.url("/#begins-later"))
    expect(page.get_by_text("There is no run called “begins-later”.")).to_be_visible()
    expect(page.locator("#connection")).to_have_text("waiting for it to begin")
    stack.runcast("create", "echo", "--id", "begins-later", "--input", "Guten Morgen")
    expect(page.get_by_text("Guten Morgen").last).to_be_visible(timeout=30_000)
    expect(page.locator("#badge")).to_have_text("completed", ignore_case=True, timeout=30_000)
    page.close()
