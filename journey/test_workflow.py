"""Runs that a workflow starts and supervises, against the stack's own Temporal server."""
import time

from conftest import await_that
from test_control import curl, entries, phase


def texts(stack, execution):
    return [e["message"]["text"] for e in entries(stack, execution) if e.get("message", {}).get("text")]


def phases(stack, execution):
    """The phases of the history, one after the other."""
    seen = []
    for change in stack.pages(f"/v1/executions/{execution}/changes", "changes"):
        at = (change.get("execution") or {}).get("phase", "").removeprefix("PHASE_")
        if at and seen[-1:] != [at]:
            seen.append(at)
    return seen


def runs_tool(stack, execution, name):
    return any(e.get("toolCall", {}).get("name") == name and e["state"] == "ENTRY_STATE_RUNNING"
               for e in entries(stack, execution))


def test_create_and_watch_runs_the_agent(stack):
    done = stack.runcast("create", "echo", "--id", "hello-workflow", "--input", "Guten Abend", "--watch", "--exit-status")
    assert done.stdout.startswith("hello-workflow is created; it is PENDING.\n")
    assert "ai: Guten Abend\n" in done.stdout and "COMPLETED" in done.stdout
    failed = stack.runcast("create", "script", "--id", "fails-workflow", "--watch", "--exit-status", "--input",
                           "[{say: one}, {fail: {code: BUDGET, message: too dear}}]", check=False)
    assert failed.returncode == 10 and "BUDGET" in failed.stdout and "too dear" in failed.stdout


def test_an_unknown_agent_fails_and_says_which_there_are(stack):
    done = stack.runcast("create", "travel-planer", "--id", "nobody", "--watch", "--exit-status", check=False)
    assert done.returncode == 10 and "UNKNOWN_AGENT" in done.stdout
    assert 'agent: "travel-planer" (expected: one of [echo, script])' in done.stdout, done.stdout


def test_curl_creates_and_cancels_what_a_workflow_runs(stack):
    spec = {"agent": "script", "input": "[{say: one}, {tool: {name: slow, seconds: 600}}, {say: never}]"}
    status, created = curl(stack, "/v1/executions", {"executionId": "curl-workflow", "spec": spec})
    assert status == 200 and created["execution"]["spec"]["workflowId"] == "agent-execution/default/curl-workflow"
    await_that(lambda: runs_tool(stack, "curl-workflow", "slow"), 20, "the agent to run")
    asked = time.monotonic()
    status, answer = curl(stack, "/v1/executions/curl-workflow:cancel", {"reason": "enough"})
    assert status == 200 and answer["phase"] == "PHASE_RUNNING", "a wish, until the agent has been told"
    assert curl(stack, "/v1/executions/curl-workflow:cancel", {})[0] in (200, 400), "twice, at once"
    await_that(lambda: phase(stack, "curl-workflow") == "PHASE_CANCELLED", 10, "the end")
    # The goal is 2 s when all is up; this machine may be busy.
    assert time.monotonic() - asked < 5
    for verb, reason in (("cancel", "ENDED"), ("pause", "ENDED"), ("resume", "ENDED")):
        status, refused = curl(stack, f"/v1/executions/curl-workflow:{verb}", {})
        assert status == 400 and refused["details"][0]["reason"] == reason, refused
        assert refused["details"][0]["metadata"]["phase"] == "PHASE_CANCELLED"
    [call] = [e for e in entries(stack, "curl-workflow") if "toolCall" in e]
    assert call["state"] == "ENTRY_STATE_CANCELLED" and texts(stack, "curl-workflow") == ["one"]


def test_a_person_holds_decides_and_recovers_from_a_terminal(stack):
    stack.runcast("create", "script", "--id", "by-person", "--input",
                  "[{say: one}, {ask: {tool: pay, arguments: '{\"sum\": 5}'}}, {wait: 2}, {fail: {code: QUOTA}}, {say: two}]")
    await_that(lambda: phase(stack, "by-person") == "PHASE_WAITING_FOR_APPROVAL", 20, "the question")
    for verb in ("recover", "resume"):
        status, refused = curl(stack, f"/v1/executions/by-person:{verb}", {})
        assert status == 400 and refused["details"][0]["reason"] == "TRANSITION", "only what has ended, or is held"
    stack.runcast("approve", "by-person", "--edit", '{"sum": 4}')
    await_that(lambda: phase(stack, "by-person") == "PHASE_RUNNING", 20, "the agent to go on")
    assert curl(stack, "/v1/executions/by-person:pause", {})[1]["phase"] == "PHASE_PAUSED"
    assert curl(stack, "/v1/executions/by-person:resume", {})[1]["phase"] == "PHASE_RUNNING"
    await_that(lambda: phase(stack, "by-person") == "PHASE_FAILED", 20, "the failure")
    stack.runcast("recover", "by-person")
    await_that(lambda: phase(stack, "by-person") == "PHASE_COMPLETED", 20, "the end")
    assert texts(stack, "by-person") == ["one", "two"]
    [call] = [e["toolCall"] for e in entries(stack, "by-person") if "toolCall" in e]
    assert call["arguments"] == '{"sum": 4}' and call["result"] == "done"
    assert phases(stack, "by-person")[-4:] == ["FAILED", "PENDING", "RUNNING", "COMPLETED"]
    assert stack.runcast("recover", "by-person", check=False).returncode == 5, "COMPLETED is for good"
