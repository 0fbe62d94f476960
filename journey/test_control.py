"""What people ask of runs: over HTTP with curl, from a terminal, and on the page."""
import json
import os
import subprocess
import threading
import uuid

import pytest
from playwright.sync_api import expect

from conftest import await_that

TOOLS = os.environ.get("TOOLS", "")


def curl(stack, path, body, *more):
    """(HTTP status, parsed JSON) of a POST with curl."""
    done = subprocess.run(["curl", "-sS", "-X", "POST", "-H", "Content-Type: application/json", "-d", json.dumps(body),
                           "-w", "\n%{http_code}", *more, stack.url(path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    answer, status = done.stdout.rsplit("\n", 1)
    return int(status), json.loads(answer)


def report(stack, execution, **change):
    """One update by a runner."""
    batch = {"executionId": execution, "writer": {"kind": "WRITER_KIND_RUNNER"}, "requestId": uuid.uuid4().hex,
             "updates": [change]}
    done = subprocess.run([f"{TOOLS}/bin/grpcurl", "-plaintext", "-d", json.dumps({"batch": batch}),
                           stack.addresses["ingest.grpc"], "runcast.v1.IngestService/PublishUpdate"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def asks(stack, execution, approval, prompt="May I book the flight?"):
    report(stack, execution, phaseChanged={"phase": "PHASE_RUNNING"})
    report(stack, execution, entryUpserted={"entry": {
        "entryId": f"call-{approval}", "state": "ENTRY_STATE_WAITING",
        "toolCall": {"name": "book_flight", "arguments": '{"flight": "TP 561", "price": 240}'}}})
    report(stack, execution, entryUpserted={"entry": {
        "entryId": approval, "state": "ENTRY_STATE_WAITING",
        "approval": {"toolCallId": f"call-{approval}", "prompt": prompt}}})
    await_that(lambda: approval in [e["entryId"] for e in entries(stack, execution)], 30, "the approval to be stored")


def entries(stack, execution):
    return stack.pages(f"/v1/executions/{execution}/entries", "entries") if stack.get(f"/v1/executions/{execution}")[0] == 200 else []


def phase(stack, execution):
    return stack.get(f"/v1/executions/{execution}")[1]["phase"]


def test_curl_creates_and_cancels(stack):
    request = {"executionId": "by-curl", "requestId": "r1", "spec": {"agent": "planner", "input": "Lisbon"},
               "labels": {"team": "travel"}, "withoutWorkflow": True}
    status, created = curl(stack, "/v1/executions", request)
    assert status == 200 and created["requestId"] == "r1"
    assert stack.get("/v1/executions/by-curl")[1] == created["execution"], "what is created can be read at once"
    assert curl(stack, "/v1/executions", request) == (200, created), "the same request again gets the same answer"
    status, refused = curl(stack, "/v1/executions", {**request, "requestId": "r2"})
    assert status == 409 and refused["details"][0]["metadata"]["winner_request_id"] == "r1"
    status, answer = curl(stack, "/v1/executions/by-curl:cancel", {"reason": "enough"})
    assert status == 200 and answer["phase"] == "PHASE_CANCELLED" and answer["requestId"]
    await_that(lambda: phase(stack, "by-curl") == "PHASE_CANCELLED", 2, "the end to be seen within 2 s")
    status, refused = curl(stack, "/v1/executions/by-curl:cancel", {})
    assert status == 400 and refused["details"][0]["reason"] == "ENDED"
    assert refused["details"][0]["metadata"]["phase"] == "PHASE_CANCELLED"
    assert curl(stack, "/v1/executions/nobody:cancel", {})[0] == 404


def test_an_execution_without_more_has_a_workflow(stack):
    status, created = curl(stack, "/v1/executions", {"spec": {"agent": "planner"}})
    execution = created["execution"]
    assert status == 200 and execution["executionId"] == created["requestId"]
    assert execution["spec"]["workflowId"] == f"agent-execution/default/{execution['executionId']}"


@pytest.mark.parametrize("headers, expected", [
    (["Content-Type: text/plain"], 400), (["Content-Type:"], 400),
    (["Content-Type: application/json", "Origin: http://evil.example"], 403),
    (["Content-Type: application/json", "Sec-Fetch-Site: cross-site"], 403),
    (["Content-Type: application/json", "Host: evil.example"], 403)])
def test_another_site_cannot_ask(stack, headers, expected):
    options = [word for header in headers for word in ("-H", header)]
    done = subprocess.run(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST", *options, "-d", "{}",
                           stack.url("/v1/executions/any:cancel")], capture_output=True, text=True, timeout=60)
    assert done.stdout == str(expected)


def test_the_commands_ask_and_say_what_came_of_it(stack, tmp_path):
    file = tmp_path / "input.txt"
    file.write_text("Lisbon, über Nacht\n")
    created = stack.runcast("create", "planner", "--id", "by-command", "--input", f"@{file}", "--label", "team=travel",
                            "--session", "s1", "--request-id", "r1", "--without-workflow")
    assert created.stdout == "by-command is created; it is PENDING.\n"
    spec = stack.get("/v1/executions/by-command")[1]["spec"]
    assert spec["input"] == "Lisbon, über Nacht\n" and spec["sessionId"] == "s1"
    again = stack.runcast("create", "planner", "--id", "by-command", "--request-id", "r2", check=False)
    assert again.returncode == 5 and "by-command is taken by local, request r1" in again.stderr
    assert stack.runcast("pause", "by-command").stdout == "by-command is PAUSED.\n"
    assert stack.runcast("resume", "by-command").stdout == "by-command goes on; it is PENDING.\n"
    answer = json.loads(stack.runcast("cancel", "by-command", "--reason", "enough", "-o", "json").stdout)
    assert answer["phase"] == "PHASE_CANCELLED"
    refused = stack.runcast("resume", "by-command", check=False)
    assert refused.returncode == 5 and "it is CANCELLED" in refused.stderr
    assert stack.runcast("recover", "by-command", check=False).returncode == 5
    assert stack.runcast("cancel", "nobody-at-all", check=False).returncode == 4
    await_that(lambda: phase(stack, "by-command") == "PHASE_CANCELLED", 10, "the end to be stored")
    assert stack.runcast("watch", "by-command", "--exit-status", check=False).returncode == 11
    assert stack.runcast("create", "planner", "--input", "@/no/such/file", check=False).returncode == 1


def test_create_and_watch_ends_with_how_it_ended(stack):
    watching = {}
    thread = threading.Thread(target=lambda: watching.update(done=stack.runcast(
        "create", "planner", "--id", "watched", "--without-workflow", "--watch", "--exit-status", check=False)))
    thread.start()
    await_that(lambda: stack.get("/v1/executions/watched")[0] == 200, 30, "the execution to be created")
    report(stack, "watched", phaseChanged={"phase": "PHASE_FAILED", "failure": {"code": "TOOL_ERROR"}})
    thread.join(60)
    assert watching["done"].returncode == 10 and "TOOL_ERROR" in watching["done"].stdout, watching["done"]


def test_approvals_are_decided_from_a_terminal(stack):
    asks(stack, "gates", "a1")
    asks(stack, "gates", "a2", "May I book the hotel?")
    several = stack.runcast("approve", "gates", check=False)
    assert several.returncode == 2 and "a1" in several.stderr and "May I book the hotel?" in several.stderr
    assert stack.runcast("reject", "gates", "a1", "--reason", "too dear").stdout == "a1 of gates is rejected.\n"
    late = stack.runcast("approve", "gates", "a1", check=False)
    assert late.returncode == 5 and late.stdout == "a1 of gates was already rejected by local, and that holds.\n"
    await_that(lambda: [e["state"] for e in entries(stack, "gates") if e["entryId"] == "a1"] == ["ENTRY_STATE_CANCELLED"],
               10, "the rejection to be stored")
    broken = stack.runcast("approve", "gates", "--edit", '{"price": 99', check=False)
    assert broken.returncode == 2 and "is not JSON" in broken.stderr
    edited = stack.runcast("approve", "gates", "--edit", '{"price": 99}')
    assert edited.stdout == "a2 of gates is approved with changed arguments.\n"
    await_that(lambda: phase(stack, "gates") == "PHASE_RUNNING", 10, "the run to go on")
    [approval] = [e["approval"] for e in entries(stack, "gates") if e["entryId"] == "a2"]
    assert approval["arguments"] == '{"price": 99}' and approval["decidedBy"] == "local"
    # None waits any more: the one that was decided last is meant, and the first decision holds.
    second = stack.runcast("skip", "gates", check=False)
    assert second.returncode == 5 and "a2 of gates was already approved with changed arguments" in second.stdout


@pytest.fixture
def page(browser):
    opened = browser.new_page(viewport={"width": 1100, "height": 800})
    yield opened
    opened.close()


def gate(page, prompt):
    return page.locator(".card").filter(has_text=prompt)


def test_approvals_are_decided_on_the_page(stack, page):
    for approval, prompt in (("a1", "May I edit?"), ("a2", "May I reject?"), ("a3", "May I race?"), ("a4", "May I skip?")):
        asks(stack, "on-page", approval, prompt)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: message.type == "error" and errors.append(message.text))
    page.goto(stack.url("/#on-page"))
    first = gate(page, "May I edit?")
    first.get_by_role("button", name="Edit…").click()
    area = first.get_by_role("textbox", name="Arguments")
    expect(area).to_have_value('{"flight": "TP 561", "price": 240}')
    area.fill('{"flight": "TP 561", "price": 199}')
    if os.environ.get("SCREENSHOTS"):
        page.screenshot(path=os.environ["SCREENSHOTS"] + "/approval.png", full_page=True)
    first.get_by_role("button", name="Approve with these").click()
    expect(first.get_by_text("approved with changes by local")).to_be_visible()
    expect(first.get_by_role("button")).to_have_count(0)
    second = gate(page, "May I reject?")
    second.get_by_role("button", name="Reject…").click()
    second.get_by_role("textbox", name="Why").fill("too dear")
    second.get_by_role("button", name="Reject", exact=True).click()
    expect(second.get_by_text("rejected by local: too dear")).to_be_visible()
    # Somebody else decides while the click is under way.
    page.route("**/approvals/a3:decide", lambda route: (
        stack.runcast("reject", "on-page", "a3"), route.continue_()))
    gate(page, "May I race?").get_by_role("button", name="Approve", exact=True).click()
    expect(gate(page, "May I race?").get_by_text("Somebody was faster: rejected by local")).to_be_visible(timeout=30_000)
    gate(page, "May I skip?").get_by_role("button", name="Skip").click()
    expect(gate(page, "May I skip?").get_by_text("skipped by local")).to_be_visible()
    expect(page.locator("#badge")).to_have_text("running")
    if os.environ.get("SCREENSHOTS"):
        page.screenshot(path=os.environ["SCREENSHOTS"] + "/decided.png", full_page=True)
    assert errors == []


def test_a_run_is_held_let_go_and_cancelled_on_the_page(stack, page):
    curl(stack, "/v1/executions", {"executionId": "page-life", "spec": {"agent": "planner"}, "withoutWorkflow": True})
    page.goto(stack.url("/#page-life"))
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#badge")).to_have_text("paused")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#badge")).to_have_text("pending")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Really cancel?").click()
    expect(page.locator("#badge")).to_have_text("cancelled")
    expect(page.locator("#actions").get_by_role("button")).to_have_count(0)


def test_what_a_caller_may_not_is_not_offered(own_stack, tmp_path, browser):
    tokens = tmp_path / "tokens"
    tokens.write_text("a-viewer-of-default default vera viewer\nan-operator-of-default default dana operator\n")
    stack = own_stack("--tokens", str(tokens))
    curl(stack, "/v1/executions", {"executionId": "guarded", "spec": {"agent": "planner"}, "withoutWorkflow": True},
         "-H", "Authorization: Bearer an-operator-of-default")
    cookie = curl(stack, "/v1/executions/guarded:cancel", {}, "-b", "runcast_token=an-operator-of-default")
    assert cookie[0] == 401, "a cookie counts for reading only"
    denied = stack.runcast("cancel", "guarded", "--token", "a-viewer-of-default", check=False)
    assert denied.returncode == 77
    for token, offered in (("a-viewer-of-default", False), ("an-operator-of-default", True)):
        context = browser.new_context()
        context.add_cookies([{"name": "runcast_token", "value": token, "url": stack.url("/"), "sameSite": "Strict"}])
        page = context.new_page()
        with page.expect_response(lambda response: response.request.method == "OPTIONS"):
            page.goto(stack.url("/#guarded"))
        expect(page.locator("#badge")).to_have_text("pending")
        if offered:
            page.get_by_role("button", name="Pause").click()
            expect(page.locator("#badge")).to_have_text("paused")
        else:
            expect(page.locator("#actions")).to_be_hidden()
        context.close()
