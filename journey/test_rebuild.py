"""The store against the log: proved equal, damaged, mended; beside a running stack, and on the folder of a stopped one."""
import datetime
import json
import subprocess

import grpc
import recordings
from google.protobuf import json_format
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from conftest import Stack, await_that


def verified(stack):
    """(exit code, result) of a verification."""
    done = stack.runcast("rebuild", "--verify", "-o", "json", "--data", stack.folder / "data", check=False)
    assert done.returncode in (0, 3), done.stdout + done.stderr
    return done.returncode, json.loads(done.stdout)


def test_the_store_is_proved_damaged_and_mended(own_stack, tmp_path):
    conversations = [recordings.conversation(f"proved-{n}", 40 + n) for n in range(5)]
    file = recordings.write(tmp_path / "proved.jsonl", conversations)
    stack = own_stack()
    stack.runcast("play", file, "--fast")
    await_that(lambda: all(stack.ended(f"proved-{n}") for n in range(5)), 60, "all to end")

    code, result = verified(stack)
    assert code == 0 and result["all_equal"] and result["equal"] == 5, result
    refused = stack.runcast("rebuild", "--data", stack.folder / "data", check=False)
    assert refused.returncode == 1 and "sink-service runs" in refused.stderr

    assert stack.stop() in (0, 143)
    code, result = verified(stack)
    assert code == 0 and result["all_equal"] and result["equal"] == 5, result

    said = stack.runcast("rebuild", "--damage", "proved-3", "--data", stack.folder / "data").stdout
    assert said.startswith("damaged ") and "default/proved-3" in said and "byte" in said
    code, result = verified(stack)
    assert code == 3 and result["equal"] == 4, result
    assert [(each["execution"], each["verdict"]) for each in result["findings"]] == [("default/proved-3", "DIFFERENT")]
    assert result["findings"][0]["difference"]

    mended = stack.runcast("rebuild", "--data", stack.folder / "data").stdout
    assert "default/proved-3: different" in mended and "replaced 1" in mended
    code, result = verified(stack)
    assert code == 0 and result["equal"] == 5, result

    again = own_stack()
    for conversation in conversations:
        name = conversation["conversation_id"]
        assert recordings.seen(again.pages(f"/v1/executions/{name}/entries", "entries")) == recordings.expected(conversation)


def test_a_folder_that_no_stack_has_used_is_refused(tmp_path):
    done = Stack(tmp_path).runcast("rebuild", "--verify", "--data", tmp_path / "nothing", check=False)
    assert done.returncode == 1 and "expected: one that ./runcast up has used" in done.stderr
    assert not (tmp_path / "nothing").exists()


def test_an_execution_that_is_not_stored_cannot_be_damaged(own_stack):
    stack = own_stack()
    done = stack.runcast("rebuild", "--damage", "never-seen", "--data", stack.folder / "data", check=False)
    assert done.returncode == 1 and "default/never-seen: not in the store" in done.stderr


def test_after_a_new_rule_number_old_executions_and_new_ones_are_equal(own_stack, tmp_path):
    """A door of an older build stamped 1 in what it appended; today's stamps a newer one. Each keeps its own."""
    stack = own_stack()
    pool = DescriptorPool(ProtoReflectionDescriptorDatabase(grpc.insecure_channel(stack.addresses["ingest.grpc"])))
    Batch = GetMessageClass(pool.FindMessageTypeByName("runcast.v1.UpdateBatch"))
    for number, update in enumerate((
            {"entryUpserted": {"entry": {"entryId": "m1", "message": {"role": "ROLE_AI", "text": "from before"}}}},
            {"phaseChanged": {"phase": "PHASE_COMPLETED"}})):
        old = json_format.ParseDict({
            "executionId": "begun-before", "writer": {"kind": "WRITER_KIND_RUNNER"}, "requestId": f"r{number}",
            "receivedAt": datetime.datetime.now(datetime.UTC).isoformat().replace("+00:00", "Z"), "rules": 1,
            "tenant": "default", "updates": [update]}, Batch())
        record = tmp_path / f"record-{number}"
        record.write_bytes(old.SerializeToString())
        subprocess.run(["kcat", "-P", "-b", stack.addresses["kafka"], "-t", "runcast.updates.v1", "-k",
                        "default/begun-before", "-X", "topic.partitioner=murmur2_random", record], check=True, timeout=30)
    file = recordings.write(tmp_path / "now.jsonl", [recordings.conversation("begun-now", 7)])
    stack.runcast("play", file, "--fast")
    before = await_that(lambda: stack.ended("begun-before"), 30, "the older one to end")
    now = await_that(lambda: stack.ended("begun-now"), 30, "the newer one to end")
    assert before["rules"] == 1 and now["rules"] > 1 and before["phase"] == now["phase"] == "PHASE_COMPLETED"
    code, result = verified(stack)
    assert code == 0 and result["all_equal"] and result["equal"] == 2, result
